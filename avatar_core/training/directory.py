"""The run directory: whose it is, whether it may be written, how a run in it is taken up."""

from __future__ import annotations

import json
import os
from pathlib import Path

from avatar_core.config.resolve import frozen_changes, validate
from avatar_core.config.train import TrainConfig
from avatar_core.errors import CheckpointError, UsageError
from avatar_core.files import disk_errors, read_json, read_jsonl, write_atomic, write_json
from avatar_core.manifest import sound_checkpoints
from avatar_core.models.qwen_omni import QwenOmniPolicy
from avatar_core.records import Manifest, read_record
from avatar_core.training.checkpoint import (
    FOLDER,
    TrainerState,
    remove_unfinished,
    restore_trainer,
)
from avatar_core.training.identity import run_manifest

CONFIG = "config.json"
MANIFEST = "manifest.json"
METRICS = "metrics.jsonl"
GROUPS = "groups.jsonl"
HELD_OUT = "held_out"


def check_directory(run: Path, config: TrainConfig, *, resume: bool) -> None:
    """Accept a directory that is absent, empty, or holds a run that may go on; writes nothing.

    Raises:
        UsageError: it cannot be written, or something else is there; names the fields that differ.
    """
    existing = next(path for path in (run, *run.absolute().parents) if path.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        raise UsageError(f"--out {run}: {existing} is no directory that can be written")
    if not (run / CONFIG).is_file():
        if run.is_dir() and any(_foreign(path) for path in run.iterdir()):
            raise UsageError(
                f"--out {run}: is not empty and holds no run; choose another directory"
            )
        return
    if not resume:
        raise UsageError(f"--out {run}: holds a run already; choose another directory or --resume")
    changes = frozen_changes(_stored_config(run), config)
    if changes:
        raise UsageError(
            f"--out {run}: holds a run with other settings ({'; '.join(changes[:5])}); "
            "choose another directory or restore them"
        )


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
    if not checkpoints and any(run.glob(f"{FOLDER}/step-*")):
        raise CheckpointError(f"{run / FOLDER}: no checkpoint is sound; choose another --out")
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


def held_out_rows(run: Path, when: str) -> Path:
    """File of the held-out rows of one moment, "before" or "after"."""
    return run / HELD_OUT / f"{when}.jsonl"


def keep_rows(path: Path, *, up_to: int) -> None:
    """Drop the rows of steps after `up_to`, and a torn last line."""
    if not path.is_file():
        return
    rows = [row for _, row in read_jsonl(path, torn_tail=True) if row["step"] <= up_to]
    write_atomic(path, "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows))


def _stored_config(run: Path) -> TrainConfig:
    try:
        return validate(TrainConfig, read_json(run / CONFIG))
    except UsageError as error:
        raise UsageError(
            f"--out {run}: its {CONFIG} is not that of a training run of this release ({error}); "
            "choose another directory"
        ) from error


def _foreign(path: Path) -> bool:
    """Whether a file is none that a start cut short may leave."""
    return path.name != MANIFEST and not path.name.startswith(".")
