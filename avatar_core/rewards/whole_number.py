"""Reading a count: the first number of a text when it is a whole one."""

from __future__ import annotations

from avatar_core.rewards.numerals import first_number


def read_whole_number(text: str) -> int | None:
    """Value of the first number in a text without tags, in figures or in words.

    "1,234", "3.0" and "two hundred and five" are whole; a text whose first number is "3.5" or "two
    thousand" states no count rather than the 3 or the 2 in it.
    """
    value = first_number(text)
    return int(value) if value is not None and value.is_integer() else None
