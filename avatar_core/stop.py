"""Stopping on request: after the first signal work in hand is saved, a second one ends at once."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from avatar_core.errors import Stopped

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopRequest:
    """Remembers the signal that asked the run to stop."""

    def __init__(self) -> None:
        self.signal: int | None = None

    def raise_if_asked(self, message: str) -> None:
        """Raise `Stopped` with `message` when a signal has come."""
        if self.signal is not None:
            raise Stopped(self.signal, message)


@contextmanager
def stop_on_signal() -> Iterator[StopRequest]:
    """Listen for SIGINT and SIGTERM inside the block; earlier handlers come back afterwards."""
    request = StopRequest()

    def handle(number: int, _frame: FrameType | None) -> None:
        if request.signal is not None:
            raise Stopped(number, "stopped at once by a second signal; what was saved is whole")
        request.signal = number

    previous = {number: signal.signal(number, handle) for number in SIGNALS}
    try:
        yield request
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
