"""A number with its noun, for sentences: 1 row, 2 rows."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """A number, thousands apart, with its noun; the plural is that of an `s`.

    >>> counted(1, "held-out sample"), counted(1200, "row")
    ('1 held-out sample', '1,200 rows')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
