"""The embedded benchmark: scenes of the test split, which no training run has seen."""

from __future__ import annotations

from itertools import zip_longest
from pathlib import Path
from typing import cast, get_args

from avatar_core.benchmarks.item import Item
from avatar_core.benchmarks.registry import Benchmark, Selection, register
from avatar_core.data.scenes import scene_samples
from avatar_core.data.scenes.world import Split
from avatar_core.evaluation.items import ask_sample, item_of

STAGES = (1, 2, 3)
LIMIT = 200
"""Scenes that are asked when nobody says how many."""


def load_scenes(root: Path | None, selection: Selection) -> list[Item]:
    """The first scenes of one stage, or of the three in turn.

    Args:
        root: directory that holds the rendered clips; `None` for the cache.
        selection: the split is "test", "validation", or "train", which models may have seen; the
            seed is that of the collection, `None` that which training measures itself on; without
            a stage the counts of the three differ by one at most.
    """
    limit, seed = selection.limit or LIMIT, selection.sample_seed or 0
    stages = STAGES if selection.stage is None else (selection.stage,)
    counts = {s: (limit + len(stages) - 1 - n) // len(stages) for n, s in enumerate(stages)}
    split = cast(Split, selection.split)
    by_stage = [
        scene_samples(split=split, stage=s, count=count, seed=seed, root=root)
        for s, count in counts.items()
    ]
    mixed = [sample for turn in zip_longest(*by_stage) for sample in turn if sample is not None]
    return [item_of(sample, "scenes") for sample in mixed]


SCENES = register(
    Benchmark(
        name="scenes",
        dataset=("rendered on this machine",),
        items=None,
        media="video + sound",
        metric="accuracy",
        load=load_scenes,
        ask=ask_sample,
        layout="nothing: its clips are rendered into the data root",
        styles=("official",),
        splits=get_args(Split)[::-1],
        default_limit=LIMIT,
        embedded=True,
    )
)
