"""In what several runs differ before their figures do: their settings, and the items they answered.

A figure of one run less that of another says something only where these are the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from avatar_core.config.resolve import flatten

Items = frozenset[tuple[str, str | None]]
"""Items that were answered, by id and reference answer."""

ALWAYS_OTHER = frozenset({"out"})
"""Settings that differ between any two runs and change nothing in them."""


class Difference(NamedTuple):
    """A setting that runs do not share."""

    key: str
    """Its dotted name."""
    values: tuple[Any, ...]
    """Its value in each run; `None` also where a run does not have it."""


def differing_settings(configs: Sequence[Mapping[str, Any] | None]) -> list[Difference]:
    """The settings that runs do not share, by name; those that some of them lack come last.

    Args:
        configs: resolved configuration of each; `None` where it is not on record. Nothing is told
            of those, nor of a run beside an evaluation, which have other settings altogether.
    """
    known = [config for config in configs if config is not None]
    if len(known) < len(configs) or len({"names" in config for config in known}) > 1:
        return []
    leaves = [flatten(config) for config in known]
    everywhere = set[str].intersection(*map(set, leaves)) if leaves else set()
    keys = sorted({key for own in leaves for key in own} - ALWAYS_OTHER)
    keys.sort(key=lambda key: key not in everywhere)
    found = (Difference(key, tuple(own.get(key) for own in leaves)) for key in keys)
    return [one for one in found if any(value != one.values[0] for value in one.values)]


def value_text(value: object) -> str:
    """A setting's value as a table has it."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def same_items(items: Sequence[Items | None]) -> bool | None:
    """Whether all answered the same items; `None` where it is not on record."""
    known = [own for own in items if own is not None]
    return len(set(known)) <= 1 if known and len(known) == len(items) else None
