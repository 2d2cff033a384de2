"""Which runs are meant by the directories that a user names."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from avatar_core.files import user_path
from avatar_core.run_directory import CONFIG, GROUPS, MANIFEST, METRICS, SUMMARY

FILES = (CONFIG, MANIFEST, METRICS, GROUPS, SUMMARY)
"""One of them makes a directory that of a run."""
STAGES = tuple(f"stage{number}" for number in range(4))


def run_directories(paths: Sequence[Path]) -> list[Path]:
    """The directories named, one that holds the stages of a curriculum replaced by these.

    A directory that is neither stays, for its reader to refuse.

    Raises:
        UsageError: the system does not take a path, or its directory cannot be searched.
    """
    for path in paths:
        check_run_path(path)
    return [run for path in paths for run in _stages(path) or [path]]


def check_run_path(path: Path, setting: str = "RUN") -> None:
    """Raise `UsageError` for a path that the system does not take or does not let be searched.

    Args:
        path: as a user gave it; it may not exist.
        setting: argument or flag that it was given for.
    """
    # A look below it tells of a directory that may not be searched.
    user_path(path / CONFIG, setting)


def _stages(path: Path) -> list[Path]:
    """Runs of the stages below a directory that is no run itself, in order."""
    if holds_run(path):
        return []
    return [path / name for name in STAGES if holds_run(path / name)]


def runs_below(path: Path, at_most: int = 8) -> list[Path]:
    """Runs and evaluations right below a directory, the first ones by name."""
    children = sorted(path.iterdir()) if _open(path) else []
    found = (child for child in children if _open(child) and holds_run(child))
    return list(islice(found, at_most))


def _open(path: Path) -> bool:
    return os.access(path, os.R_OK | os.X_OK)


def holds_run(path: Path) -> bool:
    """Whether a directory holds a file of a run or an evaluation."""
    return any((path / name).is_file() for name in FILES)
