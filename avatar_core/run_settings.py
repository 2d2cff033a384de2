"""How a model was asked in training, so that evaluation and inference ask it the same way."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from avatar_core.config.media import MediaConfig
from avatar_core.config.resolve import resolve_train, validate
from avatar_core.config.train import TrainConfig
from avatar_core.errors import CheckpointError, UsageError
from avatar_core.files import read_errors, read_json
from avatar_core.manifest import ADAPTER_CONFIG, CHECKPOINTS, sound_checkpoints
from avatar_core.naming import nearest
from avatar_core.run_directory import CONFIG


class RunSettings(NamedTuple):
    """What a model expects around a question."""

    checkpoint: str
    """What `load_policy` takes: the newest sound checkpoint of a run, else the name as given."""
    media: MediaConfig
    """How media were read."""
    system_prompt: str
    """System turn of every prompt; empty for none."""
    max_new_tokens: int
    """Length limit of a completion."""


def run_settings(model: str) -> RunSettings:
    """Settings of a run directory, of one of its checkpoints, or the defaults of any other model.

    Args:
        model: `tiny`, a run directory, a checkpoint directory or a hub id.

    Raises:
        UsageError: the directory is neither a run nor a model, or its configuration is unsound.
        CheckpointError: the run has no sound checkpoint.
    """
    directory = Path(model)
    refuse_missing_run(model)
    if model == "tiny" or not directory.is_dir():
        return _settings(model, resolve_train(stage=1, flags={"model": model}))
    run = directory.resolve().parent.parent
    if directory.resolve().parent.name == CHECKPOINTS and (run / CONFIG).is_file():
        return _settings(model, _trained(run / CONFIG))
    document = read_json(directory / CONFIG) if (directory / CONFIG).is_file() else None
    adapter = document is None and (directory / ADAPTER_CONFIG).is_file()
    if adapter or (isinstance(document, dict) and "model_type" in document):
        return _settings(model, resolve_train(stage=1, flags={"model": model}))
    if document is None:
        raise UsageError(
            f"--model {model}: holds no {CONFIG}; give a run, a checkpoint directory or a hub id"
        )
    config = _trained(directory / CONFIG)
    checkpoints = sound_checkpoints(directory, at_most=1)
    if not checkpoints:
        raise CheckpointError(
            f"--model {model}: no sound checkpoint below checkpoints/; train it first"
        )
    return _settings(str(checkpoints[0]), config)


def refuse_missing_run(
    name: str,
    setting: str = "--model",
    remedy: str = "a run, a checkpoint directory or a hub id",
) -> None:
    """Refuse a name that can only be a directory and is none, before a hub is asked for it.

    A hub id is `name` or `owner/name`, where `owner` is no directory here.

    Args:
        name: `tiny`, a directory or a hub id.
        setting: flag or key that it was given for.
        remedy: what to give instead.

    Raises:
        UsageError: there is no such directory; names the nearest one beside it.
    """
    path = Path(name)
    owned = len(path.parts) == 1 or (len(path.parts) == 2 and not path.parent.is_dir())
    if path.exists() or (owned and not path.is_absolute()):
        return
    with read_errors(path.parent):
        beside = path.parent.iterdir() if path.parent.is_dir() else ()
        known = sorted(other.name for other in beside if other.is_dir())
    hint = nearest(path.name, known) or f"; give {remedy}"
    raise UsageError(f"{setting} {name}: no such run or model{hint}")


def _settings(checkpoint: str, config: TrainConfig) -> RunSettings:
    return RunSettings(
        checkpoint=checkpoint,
        media=config.media,
        system_prompt=config.rollout.system_prompt,
        max_new_tokens=config.sampling.max_new_tokens,
    )


def _trained(path: Path) -> TrainConfig:
    """The configuration that training left; errors name the file."""
    try:
        return validate(TrainConfig, read_json(path))
    except UsageError as error:
        raise UsageError(
            f"{path}: not the configuration of a run of this release: {error}"
        ) from error
