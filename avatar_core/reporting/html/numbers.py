"""Numbers as the page shows them, and where an axis has its ticks."""

from __future__ import annotations

import math
from collections.abc import Callable

MISSING = "–"
Show = Callable[[float], str]
"""Writes a number of an axis or a table."""


def count(value: float | None) -> str:
    """A whole number with thousands apart."""
    return MISSING if value is None else f"{value:,.0f}"


def decimal(value: float | None, digits: int = 3) -> str:
    """A number with a fixed number of decimals; never a negative zero."""
    if value is None:
        return MISSING
    return f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "−")


def percent(share: float | None) -> str:
    """A fraction as percent with one decimal."""
    return MISSING if share is None else f"{100 * share:.1f}\u00a0%"


def points(difference: float | None) -> str:
    """A difference of fractions in percentage points, with its sign."""
    return MISSING if difference is None else signed(100 * difference, 1)


def signed(value: float | None, digits: int = 3) -> str:
    """A number with its sign."""
    return (
        MISSING if value is None else f"{round(value, digits) + 0.0:+.{digits}f}".replace("-", "−")
    )


def three_digits(value: float | None) -> str:
    """A number of any size in about three digits."""
    if value is None or abs(value) >= 1000:
        return count(value)
    exact = value == 0 or abs(value) >= 1e-3
    return (f"{value:.3g}" if exact else f"{value:.2e}").replace("-", "−")


def tick(value: float) -> str:
    """A number at an axis, short."""
    for size, suffix in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            unit = 1e3 if suffix == "k" else size
            return f"{value / unit:g}{suffix}".replace("-", "−")
    if value and abs(value) < 1e-3:
        return f"{value:.0e}".replace("-", "−")
    return f"{value:,.10g}".replace("-", "−")


def percent_tick(share: float) -> str:
    """A fraction at an axis, in percent."""
    return f"{100 * share:.4g}\u00a0%".replace("-", "−")


def ticks(low: float, high: float, wanted: int = 5) -> list[float]:
    """Round numbers from `low` to `high`, steps of 1, 2 or 5 times a power of ten.

    >>> ticks(0, 1)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    if not high > low:
        return [low]
    rough = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    # Rounded to the digits of the step, so that 0.6000000000000001 does not appear.
    digits = max(0, 2 - math.floor(math.log10(step)))
    return [round(number * step, digits) for number in range(first, last + 1)]
