"""Small runs of the tiny model for the tests of training: a few seconds each, every part in use."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from safetensors.torch import load_file
from torch import Tensor

from avatar_core.config.resolve import resolve_train
from avatar_core.config.train import TrainConfig
from avatar_core.records import MetricsRow
from avatar_core.replay.store import load_state
from avatar_core.training.watcher import Watcher
from avatar_core.types import Sample

STEPS = 6
SETTINGS = (
    f"steps={STEPS}",
    "rollout.pool=8",
    "rollout.prompts_per_step=2",
    "rollout.group_size=4",
    "rollout.fresh_per_group=2",
    "sampling.max_new_tokens=12",
    # Two steps of 2 x 4 completions fill it, so that step 3 is the first to replay.
    "replay.min_fill=12",
    "replay.members_per_group=1",
    "reward.weights={ spread = 1.0, accuracy = 0.0 }",
    "held_out.samples=4",
    "checkpoint.every=3",
    "optim.schedule=constant",
)
TIMES = ("peak_memory_bytes", "seconds_")


def spread(texts: Sequence[str], sample: Sample) -> list[float | None]:
    """A reward by which completions of an untrained model differ: 0, 1/2 or 1 by their text."""
    del sample
    return [hashlib.blake2b(text.encode()).digest()[0] % 3 / 2 for text in texts]


def small(out: Path, init: Path, *assignments: str, **options: Any) -> TrainConfig:
    return resolve_train(
        **{"stage": 1, **options},
        assignments=[*SETTINGS, f"out={out}", f"init={init}", *assignments],
    )


def at_step(number: int, action: Callable[[], object]) -> Watcher:
    """Calls `action` when step `number` is reported."""

    def step(row: MetricsRow, total: int) -> None:
        if row.step == number:
            action()

    return Watcher(say=lambda _: None, step=step)


def read_rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def timeless(run: Path) -> list[dict[str, Any]]:
    """Metrics rows without what a clock or the machine decides."""
    rows = read_rows(run / "metrics.jsonl")
    return [{key: value for key, value in row.items() if not key.startswith(TIMES)} for row in rows]


def tensors(run: Path, step: int, name: str) -> dict[str, Tensor]:
    return load_file(run / "checkpoints" / f"step-{step}" / name)


def same_tensors(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    """Equal bit for bit, under the same names."""
    return a.keys() == b.keys() and all(
        a[name].numpy().tobytes() == b[name].numpy().tobytes() for name in a
    )


def replay_state(run: Path, step: int) -> dict[str, Any]:
    """What the buffer holds; how it is cut into files depends on which steps were saved before."""
    return load_state(run / "checkpoints" / f"step-{step}" / "trainer" / "replay")


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
