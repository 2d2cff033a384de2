"""What can be wrong with a run before anything is loaded, rendered or written.

Loading transformers takes many times longer than all of this, so it waits until a checkpoint on
disk has to be understood.
"""

from __future__ import annotations

from pathlib import Path

from avatar_core.config.resolve import nearest
from avatar_core.config.train import TrainConfig
from avatar_core.errors import CheckpointError, UsageError
from avatar_core.manifest import verify_manifest
from avatar_core.rewards import REWARDS
from avatar_core.training.data import SCENES, Data, held_out_samples, load_data
from avatar_core.training.directory import CHECKPOINTS, CONFIG, check_directory


def check_inputs(config: TrainConfig, *, resume: bool = True) -> Data | None:
    """Check every input of a run; reads files, loads no weights and writes nothing.

    Args:
        config: what is to be run.
        resume: whether a run found in `config.out` may go on.

    Returns:
        The samples when they come from a file; `None` for scenes, which are made by the run.

    Raises:
        UsageError: directory, rewards, model or data cannot be used; `DataError` names file and
            line.
        CheckpointError: the checkpoint to start from is not sound.
    """
    check_directory(Path(config.out), config, resume=resume)
    check_rewards(config)
    data = None
    if config.data != SCENES:
        data = load_data(config)
    elif config.held_out.data:
        held_out_samples(config)
    check_start(config)
    return data


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


def check_start(config: TrainConfig) -> None:
    """Check that what the run starts from is there, sound and of a known architecture.

    Raises:
        UsageError: there is no such directory, or no such model as far as is known here.
        CheckpointError: the directory is not a sound checkpoint.
    """
    if config.init is not None and not Path(config.init).is_dir():
        raise UsageError(
            f"--init {config.init}: no such directory; give a checkpoint or a run directory"
        )
    fresh = config.init is None and config.model == "tiny" and config.stage == 0
    if config.tuning == "lora" and fresh:
        raise UsageError(
            "tuning=lora needs a saved base model that the adapter can name; "
            "give --init or a model directory, or use --full"
        )
    check_model(config.init or config.model)


def check_model(spec: str) -> None:
    """Check a model without loading it: `tiny`, a directory or a hub id; see `check_start`."""
    if spec == "tiny":
        return
    if not Path(spec).is_dir():
        check_hub_id(spec)
        return
    from avatar_core.models.adapter import base_of
    from avatar_core.models.loading import check_configuration, is_adapter, local_checkpoint

    checkpoint = local_checkpoint(Path(spec))
    if checkpoint.parent.name == CHECKPOINTS:
        verify_manifest(checkpoint)
    if not any(checkpoint.glob("*.safetensors")):
        raise CheckpointError(f"{checkpoint}: holds no *.safetensors; give a whole checkpoint")
    if is_adapter(checkpoint):
        check_model(base_of(checkpoint))
    else:
        check_configuration(checkpoint)


def check_hub_id(name: str) -> None:
    """Raise `UsageError` for what cannot be a hub id, or is not here while the hub is shut off."""
    from huggingface_hub import constants, try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        fetched = isinstance(try_to_load_from_cache(name, CONFIG), str)
    except HFValidationError as error:
        raise UsageError(
            f"--model {name}: no directory and no hub id; give tiny, a checkpoint or owner/name"
        ) from error
    if constants.HF_HUB_OFFLINE and not fetched:
        raise UsageError(
            f"--model {name}: not on this machine, and the hub is shut off; "
            "give a checkpoint directory, go online, or use --model tiny"
        )
