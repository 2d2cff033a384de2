"""Which runs are meant by the directories that a user names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from avatar_core.run_directory import CONFIG, GROUPS, MANIFEST, METRICS, SUMMARY

FILES = (CONFIG, MANIFEST, METRICS, GROUPS, SUMMARY)
"""One of them makes a directory that of a run."""
STAGES = tuple(f"stage{number}" for number in range(4))


def run_directories(paths: Sequence[Path]) -> list[Path]:
    """The directories named, one that holds the stages of a curriculum replaced by these.

    A directory that is neither stays, for its reader to refuse.
    """
    return [run for path in paths for run in _stages(path) or [path]]


def _stages(path: Path) -> list[Path]:
    """Runs of the stages below a directory that is no run itself, in order."""
    if holds_run(path):
        return []
    return [path / name for name in STAGES if holds_run(path / name)]


def holds_run(path: Path) -> bool:
    """Whether a directory holds a file of a run or an evaluation."""
    return any((path / name).is_file() for name in FILES)
