"""A run begins in its directory, or goes on where an earlier process left it."""

from __future__ import annotations

from pathlib import Path

from avatar_core.config.train import TrainConfig
from avatar_core.errors import CheckpointError, UsageError
from avatar_core.files import disk_errors, read_json, write_json
from avatar_core.manifest import sound_checkpoints
from avatar_core.models.qwen_omni import QwenOmniPolicy
from avatar_core.records import Manifest, read_record
from avatar_core.training.checkpoint import TrainerState, remove_unfinished, restore_trainer
from avatar_core.training.directory import (
    CHECKPOINTS,
    CONFIG,
    GROUPS,
    MANIFEST,
    METRICS,
    held_out_rows,
    keep_rows,
)
from avatar_core.training.identity import run_manifest


def claim(run: Path, config: TrainConfig, policy: QwenOmniPolicy) -> None:
    """Write the manifest of a new run and the configuration; call it under the lock.

    Args:
        run: run directory.
        config: of the run; on resume its free fields may have changed.
        policy: with the weights that the run starts from, before any is restored.

    Raises:
        UsageError: the run in the directory began with other weights.
    """
    manifest = run_manifest(config, policy)
    stored = run / MANIFEST
    if not (run / CONFIG).is_file():
        write_json(stored, manifest.to_row())
    else:
        begun = read_record(Manifest, read_json(stored), str(stored))
        if begun.model_fingerprint != manifest.model_fingerprint:
            raise UsageError(
                f"--out {run}: its run began with other weights than those of "
                f"{config.init or config.model} now; choose another directory or restore them"
            )
    # Last: a directory that has it has all that makes it a run.
    write_json(run / CONFIG, config.model_dump(mode="json"))


def take_up(run: Path, config: TrainConfig, policy: QwenOmniPolicy, state: TrainerState) -> int:
    """Restore the newest sound checkpoint, if there is one; returns the number of steps done.

    Rows of later steps are dropped, since those steps are taken again.

    Raises:
        CheckpointError: checkpoints are there but none is sound; a run never starts over by itself.
        UsageError: more steps were taken than the configuration asks for.
    """
    remove_unfinished(run)
    checkpoints = sound_checkpoints(run)
    if not checkpoints and any(run.glob(f"{CHECKPOINTS}/step-*")):
        raise CheckpointError(f"{run / CHECKPOINTS}: no checkpoint is sound; choose another --out")
    done = 0
    if checkpoints:
        policy.restore(checkpoints[0])
        done = restore_trainer(checkpoints[0], state)
    if done > config.steps:
        raise UsageError(
            f"--steps {config.steps}: the run in {run} has taken {done} already; ask for as many"
        )
    for name in (METRICS, GROUPS):
        keep_rows(run / name, up_to=done)
    if done < config.steps:
        with disk_errors(run):
            held_out_rows(run, "after").unlink(missing_ok=True)
    return done
