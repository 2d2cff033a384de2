"""What runs will hold in memory, as a small table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.table import Table

from avatar_cli.render import MISSING, decimal, table_of

if TYPE_CHECKING:
    from avatar_core.training.memory import MemoryEstimate

SHOWN = 2**30 // 200
"""Bytes below which a number is 0.00 GiB; a line of such numbers is left out."""


def memory_table(estimates: Mapping[int, MemoryEstimate]) -> Table:
    """Show what is always held, what the fullest phases hold besides, and how far each reaches.

    Args:
        estimates: of runs, by stage.
    """
    places = " and ".join(sorted({one.place.replace("gpu", "GPU") for one in estimates.values()}))
    headings = [f"stage {stage}" for stage in estimates]
    table = table_of(f"Memory of the {places}, estimated, GiB", "", *headings)
    table.min_width = 44
    found = list(estimates.values())
    for name in _names(one.always for one in found):
        _add(table, name, [one.always.get(name) for one in found])
    for phase in dict.fromkeys(one.fullest for one in found):
        own = [one.phases[phase] if one.fullest == phase else {} for one in found]
        for name in _names(own):
            _add(table, f"{phase}: {name}", [parts.get(name) for parts in own])
    _add(table, "highest", [one.peak for one in found], style="bold")
    for phase in _names(one.phases for one in found):
        reached = [one.total(phase) if phase in one.phases else None for one in found]
        _add(table, f"highest in {phase}", reached)
    return table


def _names(parts: Iterable[Mapping[str, object]]) -> list[str]:
    return list(dict.fromkeys(name for every in parts for name in every))


def _add(table: Table, name: str, sizes: Sequence[int | None], style: str | None = None) -> None:
    """Add a line, unless it shows nothing but zeros."""
    if any((size or 0) >= SHOWN for size in sizes):
        shown = (MISSING if size is None else decimal(size / 2**30, 2) for size in sizes)
        table.add_row(name, *shown, style=style)
