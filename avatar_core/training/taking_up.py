"""A run begins in its directory, or goes on where an earlier process left it."""

from __future__ import annotations

from pathlib import Path

from avatar_core.config.train import TrainConfig
from avatar_core.errors import UsageError
from avatar_core.files import disk_errors, write_json
from avatar_core.models.qwen_omni import QwenOmniPolicy
from avatar_core.provenance import new_manifest
from avatar_core.records import Manifest, read_manifest
from avatar_core.run_directory import CONFIG, GROUPS, MANIFEST, METRICS
from avatar_core.training.checkpoint import (
    TrainerState,
    check_same_samples,
    remove_unfinished,
    restore_trainer,
)
from avatar_core.training.data import Data, data_digest
from avatar_core.training.directory import held_out_rows, keep_rows, newest_checkpoint
from avatar_core.training.reward_files import reward_versions


def resume_point(run: Path, data: Data) -> Path | None:
    """The checkpoint that a run goes on from, `None` at its beginning; writes nothing.

    Call it before the model is loaded, so that a run that cannot go on is refused at once.

    Raises:
        CheckpointError: checkpoints are there but none is sound; a run never starts over by itself.
        UsageError: the newest sound one is of a run on other training samples.
    """
    checkpoint = newest_checkpoint(run)
    if checkpoint is not None:
        check_same_samples(checkpoint, data_digest(data.training.values()))
    return checkpoint


def run_manifest(config: TrainConfig, policy: QwenOmniPolicy) -> Manifest:
    """The manifest of a run that starts now; its versions hold a digest of each reward file."""
    manifest = new_manifest(config.model, policy.model, seed=config.seed, media=config.media)
    versions = {**manifest.versions, **reward_versions(config.reward)}
    return manifest.model_copy(update={"versions": versions})


def claim(run: Path, config: TrainConfig, policy: QwenOmniPolicy) -> None:
    """Write manifest and configuration of a new run, or recognise a run; call it under the lock.

    Args:
        run: run directory.
        config: of the run.
        policy: with the weights that the run starts from, before any is restored.

    Raises:
        UsageError: the run in the directory began with other weights; nothing has been written.
    """
    manifest = run_manifest(config, policy)
    begun = read_manifest(run)
    if begun is None:
        write_json(run / MANIFEST, manifest.to_row())
        # Last: a directory that has it has all that makes it a run.
        _write_config(run, config)
        return
    if begun.model_fingerprint != manifest.model_fingerprint:
        raise UsageError(
            f"--out {run}: its run began with other weights than those of "
            f"{config.init or config.model} now; choose another directory or restore them"
        )


def take_up(
    run: Path,
    config: TrainConfig,
    policy: QwenOmniPolicy,
    state: TrainerState,
    checkpoint: Path | None,
    *,
    writes: bool = True,
) -> int:
    """Restore what `resume_point` found; returns the number of steps done.

    Rows of later steps are dropped, since those steps are taken again, and the configuration is
    written anew: its free fields may have changed. All that comes after everything that can be
    refused. Of several processes only the first `writes`.

    Raises:
        CheckpointError: the checkpoint does not fit the policy.
    """
    done = 0
    if checkpoint is not None:
        policy.restore(checkpoint)
        done = restore_trainer(checkpoint, state)
    if writes:
        _leave_only(run, config, done)
    return done


def _leave_only(run: Path, config: TrainConfig, done: int) -> None:
    """Bring the files of a run to where it goes on: rows of its first `done` steps."""
    remove_unfinished(run)
    for name in (METRICS, GROUPS):
        keep_rows(run / name, up_to=done)
    if done < config.steps:
        with disk_errors(run):
            held_out_rows(run, "after").unlink(missing_ok=True)
    _write_config(run, config)


def _write_config(run: Path, config: TrainConfig) -> None:
    write_json(run / CONFIG, config.model_dump(mode="json"))
