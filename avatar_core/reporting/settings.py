"""The settings that a run was made with, from its records."""

from __future__ import annotations

from avatar_core.config.resolve import validate
from avatar_core.config.train import TrainConfig
from avatar_core.errors import UsageError
from avatar_core.reporting.records_io import RunRecords
from avatar_core.run_directory import CONFIG


def train_config(records: RunRecords) -> TrainConfig:
    """The configuration of a training run.

    Raises:
        UsageError: it is missing, or not that of a training run of this release.
    """
    path = records.path / CONFIG
    if records.config is None:
        raise UsageError(f"{path}: missing; give the --out directory of a training run")
    try:
        return validate(TrainConfig, records.config)
    except UsageError as error:
        raise UsageError(
            f"{path}: not the configuration of a training run of this release: {error}"
        ) from error
