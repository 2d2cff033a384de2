"""Which samples a run trains on and which it is measured on; a clip is never in both."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from avatar_core.config.train import TrainConfig
from avatar_core.data.samples import read_samples
from avatar_core.data.scenes import scene_samples
from avatar_core.errors import DataError, UsageError
from avatar_core.types import Sample

SCENES = "scenes"
SCENES_SEED = 0
"""Scenes are one fixed collection, so that runs with different seeds share clips and test set."""


class Data(NamedTuple):
    """The samples of a run."""

    training: dict[str, Sample]
    """By id, in file order."""
    held_out: list[Sample]
    """What the run is measured on; empty when it is not."""


def load_data(config: TrainConfig) -> Data:
    """The samples of a run; scenes are rendered where missing.

    Raises:
        DataError: a row is not usable, stage 0 finds a sample without a trace, or a clip is both
            trained on and held out.
        UsageError: a data file is missing.
    """
    data = Data(training_samples(config), held_out_samples(config))
    seen = _paths(data.training.values())
    for sample in data.held_out:
        if sample.id in data.training or seen & _paths([sample]):
            raise DataError(
                f"{config.held_out.data}: sample {sample.id!r} or its clip is also in "
                f"{config.data}; hold out other clips"
            )
    return data


def training_samples(config: TrainConfig) -> dict[str, Sample]:
    """Training samples by id, at most `rollout.pool`; see `load_data`."""
    if config.data == SCENES:
        found = scene_samples(
            split="train", stage=config.stage, count=config.rollout.pool, seed=SCENES_SEED
        )
    else:
        found = read_samples(data_file(config.data, "--data"))[: config.rollout.pool]
    for sample in found if config.stage == 0 else ():
        if not sample.responses:
            raise DataError(
                f"{config.data}: sample {sample.id!r} has no response; "
                "stage 0 trains on reasoning traces"
            )
    return {sample.id: sample for sample in found}


def held_out_samples(config: TrainConfig) -> list[Sample]:
    """Samples that measure a run; empty when there are none; see `load_data`."""
    wanted = config.held_out.samples
    if config.held_out.data:
        return read_samples(data_file(config.held_out.data, "held_out.data"))[:wanted]
    if config.data == SCENES:
        return scene_samples(split="test", stage=config.stage, count=wanted, seed=SCENES_SEED)
    return []


def data_file(name: str, setting: str) -> Path:
    """The path of a data file; `UsageError` naming the setting when it is not there."""
    path = Path(name)
    if not path.is_file():
        raise UsageError(f"{setting} {name}: no such file; give a JSONL file or `scenes`")
    return path


def data_digest(samples: Iterable[Sample]) -> str:
    """Digest of training samples in order: identities, questions, answers and traces."""
    digest = hashlib.blake2b(digest_size=16)
    for sample in samples:
        told = (sample.id, sample.question, sample.options, sample.solution, sample.responses)
        digest.update(json.dumps(told).encode())
    return digest.hexdigest()


def _paths(samples: Iterable[Sample]) -> set[str]:
    return {ref.path for sample in samples for ref in sample.media}
