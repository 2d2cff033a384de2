"""One draw: prompts uniformly in a tier, then diverse completions of their newest group."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from avatar_core.replay.members import diverse_members
from avatar_core.replay.tiers import RankedPrompts
from avatar_core.types import Group


class Pick(NamedTuple):
    """One completion that was drawn."""

    number: int
    """Insertion number of its group."""
    member: int
    """Its index in the group."""


class Draw:
    """A draw in progress; what it took is not taken again.

    Attributes:
        picks: what was drawn so far.
    """

    def __init__(
        self,
        ranked: RankedPrompts,
        groups: Mapping[int, Group],
        numbers: Callable[[str], Sequence[int]],
        members_per_group: int,
        rng: random.Random,
    ) -> None:
        self.picks: list[Pick] = []
        self._ranked = ranked
        self._groups = groups
        self._numbers = numbers
        self._members_per_group = members_per_group
        self._rng = rng
        self._taken: dict[int, set[int]] = {}
        self._used: set[str] = set()

    def take(self, span: range, quota: int) -> None:
        """Draw up to `quota` completions from the prompts at these places, unused prompts first."""
        goal = len(self.picks) + quota
        # Every unused prompt gives at least one: where the span has as many, one round suffices.
        places = self._rng.sample(span, min(len(span), quota + len(self._used)))
        prompts = [self._ranked.prompt_at(place) for place in places]
        waiting = sorted(prompts, key=self._used.__contains__)
        while waiting and len(self.picks) < goal:
            waiting = [prompt_id for prompt_id in waiting if self._take_from(prompt_id, goal)]

    def _take_from(self, prompt_id: str, goal: int) -> bool:
        """Draw from the newest group of a prompt that has members left; whether one was drawn."""
        count = min(self._members_per_group, goal - len(self.picks))
        if count == 0:
            return False
        for number in reversed(self._numbers(prompt_id)):
            taken = self._taken.setdefault(number, set())
            members = diverse_members(self._groups[number], count, taken, self._rng)
            if members:
                self.picks += [Pick(number, member) for member in members]
                taken.update(members)
                self._used.add(prompt_id)
                return True
        return False
