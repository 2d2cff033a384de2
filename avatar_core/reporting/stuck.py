"""Which prompts a run is stuck on: hard, and never answered rightly in their last visits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from avatar_core.records import GroupRow
from avatar_core.types import ACCURACY

LAST_VISITS = 3


class Stuck(NamedTuple):
    """A prompt that the policy does not get right."""

    prompt_id: str
    """Id of its sample."""
    visits: int
    """Visits that were looked at, at most `LAST_VISITS`."""
    completions: int
    """Completions of these visits whose accuracy was scored; all of them 0."""
    last_step: int
    """Step of the last visit."""


def stuck_prompts(groups: Sequence[GroupRow], *, visits: int = LAST_VISITS) -> list[Stuck]:
    """Prompts in the hard tier at their last visit, with mean accuracy 0 over their last visits.

    A visit is a fresh group without a hint, whether or not its step was taken. Fewer visits than
    asked for will do: a prompt may come up twice in a short run, and a hint that is written but not
    needed is never shown. Without a scored accuracy a prompt is not known to be stuck.

    Args:
        groups: rows in order of the steps.
        visits: number of last visits, at least 1.

    Returns:
        In the order of their first visit.
    """
    seen: dict[str, list[GroupRow]] = {}
    for row in groups:
        if row.source == "fresh" and not row.hinted:
            seen.setdefault(row.prompt_id, []).append(row)
    found = []
    for prompt_id, rows in seen.items():
        last = rows[-visits:]
        accuracies = [
            value
            for row in last
            for completion in row.completions
            if (value := completion.parts.get(ACCURACY)) is not None
        ]
        if last[-1].tier == "hard" and accuracies and not any(accuracies):
            found.append(Stuck(prompt_id, len(last), len(accuracies), last[-1].step))
    return found
