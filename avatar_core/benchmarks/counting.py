"""Counting: how often the number is nearly right, and how far off it is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from avatar_core.evaluation_records import EvalRow

CAP_FLOOR = 100.0
"""An error up to this, or up to twice the true count, is taken as it is."""


class Counting(NamedTuple):
    """Counts of a split against the true ones."""

    oboa: float
    """Share of all items whose count is off by one at most."""
    mae: float
    """Mean capped error."""
    rmse: float
    """Root of the mean squared capped error."""
    counted: int
    """Items whose answer states a number."""


def capped_error(gold: float, count: float) -> float:
    """Error |y − ŷ|, but 2y where it exceeds max(2y, 100): no single count decides a mean."""
    error = abs(gold - count)
    return error if error <= max(2 * gold, CAP_FLOOR) else abs(2 * gold)


def counting(rows: Sequence[EvalRow]) -> Counting | None:
    """Sum up the counts of a split.

    An item without a stated number is off by more than one; for its error it counts as 0.

    Args:
        rows: one per item, `gold` and `prediction` numbers as text; those without `gold` are left
            out.

    Returns:
        The figures; `None` without rows.
    """
    golds = [(float(row.gold), row.prediction) for row in rows if row.gold is not None]
    if not golds:
        return None
    n = len(golds)
    stated = [abs(gold - float(count)) for gold, count in golds if count is not None]
    capped = [capped_error(gold, float(count or 0)) for gold, count in golds]
    return Counting(
        oboa=sum(error <= 1 for error in stated) / n,
        mae=sum(capped) / n,
        rmse=math.sqrt(sum(error**2 for error in capped) / n),
        counted=len(stated),
    )
