"""A directory that a run or an evaluation owns: its files, whether it may be written and has begun.

Imports no torch, so that a wrong directory is refused at once.
"""

from __future__ import annotations

import os
from pathlib import Path

from avatar_core.errors import UsageError
from avatar_core.files import user_path

CONFIG = "config.json"
"""Written last when something begins: a directory that holds it has all that makes it one."""
MANIFEST = "manifest.json"
METRICS = "metrics.jsonl"
GROUPS = "groups.jsonl"
RESULTS = "results.jsonl"
"""Rows of an evaluation."""
SUMMARY = "summary.json"
"""Score of an evaluation; below `HELD_OUT`, what a run gained."""
TIMING = "timing.json"
"""Where the time of an evaluation went, apart from its score, which is the same in every run."""
HELD_OUT = "held_out"
TRAINER = "trainer"
"""Below a checkpoint: what training needs besides the weights."""
REPLAY = f"{TRAINER}/replay"
"""Below a checkpoint: the stored groups."""


def has_begun(directory: Path, what: str) -> bool:
    """Whether a directory holds the configuration of a run or an evaluation; writes nothing.

    Args:
        directory: given as `--out`; it need not exist.
        what: "run" or "evaluation", for the error.

    Raises:
        UsageError: it cannot be read and written, or it holds other files and no configuration.
    """
    user_path(directory, "--out")
    existing = next(path for path in (directory, *directory.absolute().parents) if path.exists())
    if not existing.is_dir() or not os.access(existing, os.R_OK | os.W_OK | os.X_OK):
        raise UsageError(f"--out {directory}: {existing} is no directory that can be written")
    if (directory / CONFIG).is_file():
        return True
    if directory.is_dir() and any(_foreign(path) for path in directory.iterdir()):
        raise UsageError(
            f"--out {directory}: is not empty and holds no {what}; choose another directory"
        )
    return False


def _foreign(path: Path) -> bool:
    """Whether a file is none that a start cut short may leave."""
    return path.name != MANIFEST and not path.name.startswith(".")
