"""What can be wrong with a run before anything is loaded, rendered or written.

Loading transformers takes many times longer than all of this but opening the media, so it waits
until a checkpoint on disk has to be understood.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from avatar_core.config.train import TrainConfig
from avatar_core.errors import CheckpointError, UsageError
from avatar_core.files import user_path
from avatar_core.manifest import CHECKPOINTS, verify_manifest
from avatar_core.naming import nearest
from avatar_core.plural import counted
from avatar_core.rewards import REWARDS
from avatar_core.run_directory import CONFIG
from avatar_core.run_settings import refuse_missing_run
from avatar_core.training.clips import check_clips
from avatar_core.training.data import SCENES, Data
from avatar_core.training.directory import check_directory, newest_checkpoint
from avatar_core.training.judging import check_judge, needs_judge
from avatar_core.training.own_rows import load_sound, notes_on
from avatar_core.training.reward_files import load_reward_files


def check_inputs(
    config: TrainConfig,
    *,
    resume: bool = True,
    quick: bool = False,
    chained: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> Data | None:
    """Check every input of a run; reads files, loads no weights and writes nothing.

    Reward files that the configuration names are run here, since they say which rewards there are.

    Args:
        config: what is to be run.
        resume: whether a run found in `config.out` may go on.
        quick: leave out what takes long: opening every media file that the data name, and hashing
            the checkpoint that a run goes on from.
        chained: the run goes on from another of the same command, which may not have ended yet;
            what it starts from is left out.
        say: is told what is done and what is left out.

    Returns:
        The samples when they come from a file; `None` for scenes, which are made by the run.

    Raises:
        UsageError: directory, rewards, judge, model or data cannot be used; `DataError` names file
            and line, and lists all such rows unless `quick`.
        CheckpointError: the checkpoint to start from or to go on from is not sound.
    """
    run = Path(config.out)
    check_directory(run, config, resume=resume)
    load_reward_files(config.reward, run)
    check_rewards(config)
    check_judge(config)
    check_judge_model(config)
    data = load_sound(config, quick=quick)
    if data.places:
        say(rows_read(config, data))
    for file, count in data.left_out.items():
        say(f"left out, as of another stage than {config.stage}: {counted(count, 'row')} of {file}")
    for note in (*data.notes, *notes_on(data)):
        say(note)
    if not chained:
        check_start(config)
    if not quick:
        newest_checkpoint(run, say)
        samples = [*data.training.values(), *data.held_out]
        check_clips(samples, data.places, config.media, say)
    return None if config.data == SCENES else data


def rows_read(config: TrainConfig, data: Data) -> str:
    """How many rows of which files a run uses."""
    trained = sum(name in data.places for name in data.training)
    held = sum(sample.id in data.places for sample in data.held_out)
    parts = [f"{counted(trained, 'row')} of {config.data} to train on"] if trained else []
    parts += [f"{counted(held, 'row')} of {config.held_out.data} held out"] if held else []
    return f"read {', '.join(parts)}"


def check_stages(
    configs: Sequence[TrainConfig],
    *,
    resume: bool = True,
    quick: bool = False,
    survivors: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> list[Data | None]:
    """Check the inputs of runs that follow each other; see `check_inputs`.

    Args:
        configs: what is to be run, in order.
        resume: as of `check_inputs`.
        quick: as of `check_inputs`.
        survivors: be quick about runs that have begun: they have survived clips that broke
            meanwhile, and read their checkpoint when they go on.
        say: as of `check_inputs`.
    """
    return [
        check_inputs(
            config,
            resume=resume,
            quick=quick or (survivors and (Path(config.out) / CONFIG).is_file()),
            chained=place > 0,
            say=say,
        )
        for place, config in enumerate(configs)
    ]


def check_rewards(config: TrainConfig) -> None:
    """Raise `UsageError` unless the rewards with a weight exist and at least one counts."""
    weights = config.reward.weights
    for name in weights:
        if name not in REWARDS:
            raise UsageError(
                f"reward.weights: unknown reward {name!r}{nearest(name, sorted(REWARDS))}"
            )
    if config.stage > 0 and not any(weights.values()):
        raise UsageError(
            f"reward.weights: no reward counts; give one of {', '.join(sorted(REWARDS))} a weight"
        )


def check_judge_model(config: TrainConfig) -> None:
    """Raise `UsageError` when the model of a local judge that a run asks cannot be there."""
    judge = config.judge
    if judge.kind != "local" or not needs_judge(config):
        return
    path = user_path(judge.model, "judge.model")
    if not path.is_dir():
        check_hub_id(judge.model, "judge.model", "a model directory or owner/name")
    elif not (path / CONFIG).is_file():
        raise UsageError(f"judge.model {path}: holds no {CONFIG}; give a model directory")


def check_start(config: TrainConfig) -> None:
    """Check that what the run starts from is there, sound, of a known architecture and size.

    Raises:
        UsageError: there is no such directory, no such model as far as is known here, or its
            adapter cannot be continued as configured.
        CheckpointError: the directory is not a sound checkpoint.
    """
    if config.init is not None and not user_path(config.init, "--init").is_dir():
        raise UsageError(
            f"--init {config.init}: no such directory; give a checkpoint or a run directory"
        )
    fresh = config.init is None and config.model == "tiny" and config.stage == 0
    if config.tuning == "lora" and fresh:
        raise UsageError(
            "tuning=lora needs a saved base model that the adapter can name; "
            "give --init or a model directory, or use --full"
        )
    if config.init is not None:
        check_directory_of_model(Path(config.init), "--init", config)
    elif config.model != "tiny":
        check_model(config.model, config)


def check_model(spec: str, config: TrainConfig) -> None:
    """Check a model without loading it, a directory or a hub id; see `check_start`."""
    path = user_path(spec, "--model")
    if path.is_dir():
        check_directory_of_model(path, "--model", config)
    else:
        check_hub_id(spec)


def check_directory_of_model(path: Path, setting: str, config: TrainConfig) -> None:
    """Check a directory that holds a model, an adapter or a run; see `check_start`."""
    from avatar_core.models.adapter import check_size
    from avatar_core.models.loading import check_configuration, is_adapter

    if not os.access(path, os.R_OK | os.X_OK):
        raise UsageError(f"{setting} {path}: may not be read; mend its permissions")
    checkpoint = sound_files(path)
    if not is_adapter(checkpoint):
        check_configuration(checkpoint)
        return
    check_base(checkpoint)
    if config.tuning == "lora":
        check_size(checkpoint, config.lora.rank, config.lora.alpha)


def check_base(adapter: Path) -> None:
    """Raise `CheckpointError` unless an adapter names a model of which it can be the adapter."""
    from avatar_core.manifest import ADAPTER_CONFIG
    from avatar_core.models.adapter import base_of
    from avatar_core.models.loading import check_configuration

    base = base_of(adapter)
    try:
        path = user_path(base, "base model")
        if path.is_dir():
            # An adapter has no configuration of a model, so that none stands on another one.
            check_configuration(sound_files(path))
        else:
            check_hub_id(base)
    except (UsageError, CheckpointError) as error:
        raise CheckpointError(
            f"{adapter}: its base model {base!r} cannot be used ({error}); put it back or correct "
            f"base_model_name_or_path in {ADAPTER_CONFIG}"
        ) from error


def sound_files(path: Path) -> Path:
    """The checkpoint that a directory is or holds, with weights that are as they were written."""
    from avatar_core.models.loading import local_checkpoint

    checkpoint = local_checkpoint(path)
    if checkpoint == path and path.resolve().parent.name == CHECKPOINTS:
        verify_manifest(checkpoint)
    if not any(checkpoint.glob("*.safetensors")):
        raise CheckpointError(f"{checkpoint}: holds no *.safetensors; give a whole checkpoint")
    return checkpoint


def check_hub_id(
    name: str, setting: str = "--model", remedy: str = "tiny, a checkpoint or owner/name"
) -> None:
    """Check a name that is no directory.

    Args:
        name: what may be a hub id.
        setting: flag or key that it was given for.
        remedy: what to give instead.

    Raises:
        UsageError: it cannot be a hub id, or is not here while the hub is shut off.
    """
    from huggingface_hub import constants, try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    refuse_missing_run(name, setting, remedy)
    try:
        fetched = isinstance(try_to_load_from_cache(name, CONFIG), str)
    except HFValidationError as error:
        raise UsageError(f"{setting} {name}: no directory and no hub id; give {remedy}") from error
    if constants.HF_HUB_OFFLINE and not fetched:
        raise UsageError(
            f"{setting} {name}: not on this machine, and the hub is shut off; "
            f"go online, or give {remedy}"
        )
