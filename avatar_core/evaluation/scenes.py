"""The embedded benchmark: scenes of the test split, which no training run has seen."""

from __future__ import annotations

from itertools import zip_longest
from pathlib import Path
from typing import cast

from avatar_core.benchmarks.registry import Benchmark, register
from avatar_core.data.scenes import scene_samples
from avatar_core.data.scenes.world import Split
from avatar_core.types import Sample

STAGES = (1, 2, 3)


def load_scenes(
    data_root: Path | None,
    *,
    split: str,
    limit: int,
    sample_seed: int | None,
    stage: int | None,
) -> list[Sample]:
    """The first `limit` scenes of one stage, or of the three in turn.

    Args:
        data_root: directory that holds the rendered clips; `None` for the cache.
        split: "test", "validation", or "train", which models may have seen.
        limit: number of samples.
        sample_seed: of the collection; `None` is the one that training measures itself on.
        stage: 1 to 3, or `None` for all three, whose counts differ by one at most.

    Raises:
        UsageError: unknown split or stage.
    """
    seed = sample_seed or 0
    counts = {s: (limit + 3 - s) // 3 for s in STAGES} if stage is None else {stage: limit}
    by_stage = [
        scene_samples(split=cast(Split, split), stage=s, count=count, seed=seed, root=data_root)
        for s, count in counts.items()
    ]
    return [sample for turn in zip_longest(*by_stage) for sample in turn if sample is not None]


register(
    Benchmark(
        name="scenes",
        dataset="rendered on this machine",
        items=None,
        media="video + sound",
        metric="accuracy",
        load=load_scenes,
    )
)
