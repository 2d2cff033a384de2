"""What a run counts and how long its phases take; turned into metrics rows by `rows.py`."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields

import torch


@dataclass(slots=True)
class Counters:
    """Totals over the whole run; saved with every checkpoint."""

    completions_generated: int = 0
    completions_trained: int = 0
    completions_replayed: int = 0
    tokens_generated: int = 0
    groups: int = 0
    groups_no_signal: int = 0
    hints_used: int = 0
    unscored: int = 0
    skipped_steps: int = 0
    media_failed: int = 0

    def state(self) -> dict[str, int]:
        """The totals by name."""
        return asdict(self)

    def restore(self, state: dict[str, int]) -> None:
        """Take over saved totals."""
        for field in fields(self):
            setattr(self, field.name, int(state[field.name]))


class Stopwatch:
    """Wall time by phase within one step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Add the time spent inside the block to a phase."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


def peak_memory_bytes() -> int:
    """Highest memory so far: of the GPU when there is one, else of this process."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
