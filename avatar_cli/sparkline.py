"""A line of bars in one row of text, for how a figure moved."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.text import Text

BARS = "▁▂▃▄▅▆▇█"
ASCII_BARS = "_.:-=+*#"
"""Where the output cannot show the bars: the more ink, the greater."""
GAP = " "


class Sparkline:
    """Values as bars between the least and the greatest of them, drawn as the output allows."""

    def __init__(self, values: Sequence[float | None]) -> None:
        """Draw `values` in order; `None` leaves a gap."""
        self._values = tuple(values)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw the bars."""
        yield Text(drawn(self._values, ASCII_BARS if options.ascii_only else BARS), no_wrap=True)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """As wide as there are values."""
        return Measurement(len(self._values), len(self._values))


def drawn(values: Sequence[float | None], bars: str = BARS) -> str:
    """A character per value; equal values stand at half height.

    >>> drawn([0.0, 1.0, None, 3.5, 7.0], ASCII_BARS)
    '_. -#'
    >>> drawn([2.0, 2.0], ASCII_BARS)
    '=='

    Args:
        values: in order; `None` gives a gap.
        bars: characters from the least to the greatest.
    """
    known = [value for value in values if value is not None]
    low, span = min(known, default=0.0), max(known, default=0.0) - min(known, default=0.0)

    def bar(value: float) -> str:
        if span <= 0:
            return bars[len(bars) // 2]
        return bars[min(len(bars) - 1, int((value - low) / span * len(bars)))]

    return "".join(GAP if value is None else bar(value) for value in values)
