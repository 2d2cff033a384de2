"""Which group leaves a full buffer first."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from avatar_core.replay.rule import DrawRule
from avatar_core.replay.table import Table


def past_use(table: Table, rule: DrawRule, step: int) -> NDArray[np.bool_]:
    """Which rows are too old or too often used to be drawn, [rows].

    Args:
        table: the stored groups.
        rule: limits of age and reuse.
        step: optimiser step at which their age is taken.
    """
    if rule.unlimited:
        return np.zeros(len(table["step"]), np.bool_)
    return rule.spent(step - table["step"], table["reuse"])


def tier_sizes(table: Table, codes: NDArray[np.int8]) -> list[int]:
    """Stored completions of each tier, in the order of `TIERS`."""
    return [int(size) for size in np.bincount(codes, table["size"], minlength=3)]


def next_out(
    table: Table,
    codes: NDArray[np.int8],
    shares: tuple[float, float, float],
    spent: NDArray[np.bool_],
) -> int:
    """Row of the group to evict.

    The order: the oldest of the groups past use, whatever its tier; when there is none, the oldest
    of the tier whose stored completions are most over its share; of tiers equally over theirs, the
    one that holds the oldest group.

    Args:
        table: the stored groups, at least one.
        codes: tier of each row, as its place in `TIERS`.
        shares: of the easy, medium and hard tier.
        spent: rows past use.
    """
    stored = table["size"] > 0
    if spent.any() and (stored & spent).any():
        return int((stored & spent).argmax())
    sizes = tier_sizes(table, codes)
    total = sum(sizes)
    # Rounded, because shares of a total are not exact: excesses that are equal on paper must tie.
    excess = [round(size - share * total, 9) for size, share in zip(sizes, shares, strict=True)]
    most = max(value for value, size in zip(excess, sizes, strict=True) if size)
    fullest = [tier for tier in range(3) if sizes[tier] and excess[tier] == most]
    return min(int((stored & (codes == tier)).argmax()) for tier in fullest)
