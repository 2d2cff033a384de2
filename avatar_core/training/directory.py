"""The directory of a training run: whether it may go on, from where, with which rows.

Imports no torch, so that a wrong directory is refused at once.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from avatar_core.config.resolve import frozen_changes, validate
from avatar_core.config.train import TrainConfig
from avatar_core.errors import CheckpointError, DataError, UsageError
from avatar_core.files import read_json, read_jsonl, write_atomic
from avatar_core.manifest import CHECKPOINTS, saved_checkpoints, sound_checkpoints
from avatar_core.run_directory import CONFIG, HELD_OUT, has_begun


def check_directory(run: Path, config: TrainConfig, *, resume: bool) -> None:
    """Accept a directory that is absent, empty, or holds a run that may go on; writes nothing.

    Raises:
        UsageError: it cannot be written, or something else is there; names the fields that differ.
    """
    if not has_begun(run, "run"):
        return
    if not resume:
        raise UsageError(f"--out {run}: holds a run already; choose another directory or --resume")
    changes = frozen_changes(_stored_config(run), config)
    if changes:
        raise UsageError(
            f"--out {run}: holds a run with other settings ({'; '.join(changes[:5])}); "
            "choose another directory or restore them"
        )
    taken = next(iter(saved_checkpoints(run)), 0)
    if taken > config.steps:
        raise UsageError(
            f"--steps {config.steps}: the run in {run} has taken {taken} already; ask for as many"
        )


def newest_checkpoint(run: Path, say: Callable[[str], None] = lambda _: None) -> Path | None:
    """The sound checkpoint that a run goes on from; `None` when it has saved none.

    Args:
        run: run directory.
        say: is told when newer checkpoints are damaged.

    Raises:
        CheckpointError: there are checkpoints but none is sound; a run never starts over by itself.
    """
    saved = list(saved_checkpoints(run).values())
    for path in sound_checkpoints(run, at_most=1):
        if path != saved[0]:
            say(f"{saved[0]}: damaged; going on from {path.name}, the newest sound checkpoint")
        return path
    if saved:
        raise CheckpointError(
            f"{run / CHECKPOINTS}: no checkpoint is sound; "
            "remove the folder to begin anew, or choose another --out"
        )
    return None


def held_out_rows(run: Path, when: str) -> Path:
    """File of the held-out rows of one moment, "before" or "after"."""
    return run / HELD_OUT / f"{when}.jsonl"


def keep_rows(path: Path, *, up_to: int) -> None:
    """Drop the rows of steps after `up_to`, and a torn last line.

    Raises:
        DataError: a row says no step; names file and line.
    """
    if not path.is_file():
        return
    kept = []
    for number, row in read_jsonl(path, torn_tail=True):
        if not isinstance(row.get("step"), int):
            raise DataError(f"{path}:{number}: says no step; mend or remove the line")
        if row["step"] <= up_to:
            kept.append(json.dumps(row, separators=(",", ":")) + "\n")
    write_atomic(path, "".join(kept))


def _stored_config(run: Path) -> TrainConfig:
    try:
        return validate(TrainConfig, read_json(run / CONFIG))
    except UsageError as error:
        raise UsageError(
            f"--out {run}: its {CONFIG} is not that of a training run of this release ({error}); "
            "choose another directory"
        ) from error
