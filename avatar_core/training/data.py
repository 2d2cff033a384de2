"""Which samples a run trains on and which it is measured on; a clip is never in both."""

from __future__ import annotations

from pathlib import Path

from avatar_core.config.train import TrainConfig
from avatar_core.data.samples import read_samples
from avatar_core.data.scenes import scene_samples
from avatar_core.errors import DataError, UsageError
from avatar_core.types import Sample

SCENES_SEED = 0
"""Scenes are one fixed collection, so that runs with different seeds share clips and test set."""


def training_samples(config: TrainConfig) -> dict[str, Sample]:
    """Training samples by id, at most `rollout.pool`; scenes are rendered where missing.

    Raises:
        DataError: a row is not usable, or stage 0 finds a sample without a trace.
        UsageError: the data file is missing.
    """
    if config.data == "scenes":
        found = scene_samples(
            split="train", stage=config.stage, count=config.rollout.pool, seed=SCENES_SEED
        )
    else:
        found = read_samples(data_file(config.data))[: config.rollout.pool]
    if config.stage == 0:
        for sample in found:
            if not sample.response:
                raise DataError(
                    f"{config.data}: sample {sample.id!r} has no response; stage 0 trains on reasoning traces"
                )
    return {sample.id: sample for sample in found}


def held_out_samples(config: TrainConfig) -> list[Sample]:
    """Samples that measure a run; empty when there are none."""
    wanted = config.held_out.samples
    if config.held_out.data:
        return read_samples(data_file(config.held_out.data))[:wanted]
    if config.data == "scenes":
        return scene_samples(split="test", stage=config.stage, count=wanted, seed=SCENES_SEED)
    return []


def data_file(name: str) -> Path:
    """The path of a data file; `UsageError` when it is not there."""
    path = Path(name)
    if not path.is_file():
        raise UsageError(f"--data {name}: no such file; give a JSONL file or `scenes`")
    return path
