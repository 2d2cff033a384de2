"""Wall time by phase, measured where the work happens.

A loop times its phases with a `Stopwatch`. The code below it says what it does with `phase`, which
adds to the stopwatch that is running around it and does nothing when none is:

    with watch.phase("train"):  # kept under "train"
        policy.logprobs(...)  # does its work within `phase("logprobs")`: under "train/logprobs"

A phase within another is a part of it. Its time is kept under the names of all phases open around
it, outermost first, and is contained in the time of each. So the same work in two places is two
parts, and the parts of a phase never take longer than the phase.

Times are those of the host. A GPU works behind it: there a phase ends when its work is queued, and
waiting for that work counts in the phase that first reads a result. Nothing is synchronised to be
timed. Work that other threads do meanwhile is not counted.

A generator must not yield within a phase, or whoever takes its values is timed as part of it, and
a generator that is left half-way never closes the phase.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple


class _Open(NamedTuple):
    """The innermost phase that is open."""

    watch: Stopwatch
    path: str


_OPEN: ContextVar[_Open | None] = ContextVar("open phase", default=None)


class Stopwatch:
    """Wall time by phase.

    Attributes:
        seconds: of each phase by its path, such as "train" and "train/logprobs".
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        """Begin without any time; `clock` gives seconds that never go back."""
        self.seconds: dict[str, float] = {}
        self._clock = clock

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Add the time spent inside the block to a phase, a part of the one open around it.

        Phases of other stopwatches are not looked at: this one's are no part of them.
        """
        around = _OPEN.get()
        path = name if around is None or around.watch is not self else f"{around.path}/{name}"
        token = _OPEN.set(_Open(self, path))
        start = self._clock()
        try:
            yield
        finally:
            self.seconds[path] = self.seconds.get(path, 0.0) + (self._clock() - start)
            _OPEN.reset(token)


@contextmanager
def phase(name: str) -> Iterator[None]:
    """Time the block, or the function it decorates, as a part of the phase open around it, if any.

    >>> watch = Stopwatch()
    >>> with watch.phase("train"), phase("backward"):
    ...     pass
    >>> list(watch.seconds)
    ['train/backward', 'train']
    """
    around = _OPEN.get()
    if around is None:
        yield
    else:
        with around.watch.phase(name):
            yield


def own_seconds(seconds: Mapping[str, float], path: str) -> float | None:
    """Time of a phase without its parts; `None` when the phase did not occur.

    >>> own_seconds({"train/backward": 2.0, "train": 5.0}, "train")
    3.0
    """
    whole = seconds.get(path)
    if whole is None:
        return None
    parts = (value for name, value in seconds.items() if name.rpartition("/")[0] == path)
    # Rounding alone may leave less than nothing.
    return max(0.0, whole - sum(parts))
