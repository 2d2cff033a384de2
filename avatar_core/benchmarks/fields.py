"""Single fields of a row: present, of their type, and named in the message when they are not.

Each function takes several keys, since a benchmark's copies name a field differently; the first
that is present and not `None` counts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from avatar_core.benchmarks.annotations import Row
from avatar_core.errors import DataError

MAX_CHARACTERS = 100_000
"""Of one text; longer than any question, shorter than what stalls a tokenizer."""


def text(row: Row, *keys: str) -> str:
    """A text that is there and not blank; a number is taken as its figures.

    Raises:
        DataError: it is missing, blank, too long or something else.
    """
    value = _first(row, keys)
    if value is None:
        raise _fault(row, keys, "is missing; mend the row")
    found = _as_text(row, keys, value)
    if not found.strip():
        raise _fault(row, keys, "is blank; mend the row")
    return found


def optional_text(row: Row, *keys: str) -> str | None:
    """As `text`, but `None` when it is missing or blank."""
    value = _first(row, keys)
    found = "" if value is None else _as_text(row, keys, value)
    return found if found.strip() else None


def texts(row: Row, *keys: str) -> tuple[str, ...]:
    """A list of texts, or a single one; empty when it is missing.

    Raises:
        DataError: it is something else.
    """
    value = _first(row, keys)
    if value is None:
        return ()
    parts = value if isinstance(value, list) else [value]
    return tuple(_as_text(row, keys, part) for part in parts)


def number(row: Row, *keys: str) -> float:
    """A finite number, or a text that is one.

    Raises:
        DataError: it is missing or something else.
    """
    found = optional_number(row, *keys)
    if found is None:
        raise _fault(row, keys, "is missing; give a number")
    return found


def optional_number(row: Row, *keys: str) -> float | None:
    """As `number`, but `None` when it is missing or a blank text."""
    value = _first(row, keys)
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        found = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if not math.isfinite(found):
        raise _fault(row, keys, f"must be a number, found {str(value)[:60]!r}")
    return found


def raw(row: Row) -> dict[str, Any]:
    """The fields of a row without embedded media, for `Item.raw`."""
    return {name: value for name, value in row.fields.items() if not _embeds(value)}


def _embeds(value: object) -> bool:
    if isinstance(value, Mapping):
        return any(_embeds(part) for part in value.values())
    if isinstance(value, list):
        return any(_embeds(part) for part in value)
    return isinstance(value, bytes)


def _first(row: Row, keys: tuple[str, ...]) -> Any:
    return next((row.fields[key] for key in keys if row.fields.get(key) is not None), None)


def _as_text(row: Row, keys: tuple[str, ...], value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _fault(row, keys, f"must be text, found {type(value).__name__}")
    found = str(value)
    if len(found) > MAX_CHARACTERS:
        raise _fault(row, keys, f"has {len(found)} characters, more than {MAX_CHARACTERS}")
    return found


def _fault(row: Row, keys: tuple[str, ...], what: str) -> DataError:
    named = next((key for key in keys if row.fields.get(key) is not None), " or ".join(keys))
    return DataError(f"{row.place}: {named} {what}")
