"""Who is told how a run goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from avatar_core.records import MetricsRow


class Watcher(NamedTuple):
    """Who is told how a run goes; the functions are called often and must be quick."""

    say: Callable[[str], None]
    """One sentence about what happens next."""
    step: Callable[[MetricsRow, int], None]
    """A finished step, and the number of steps of its run."""


SILENT = Watcher(say=lambda _: None, step=lambda *_: None)
