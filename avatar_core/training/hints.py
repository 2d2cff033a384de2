"""When a prompt shows its hint: what is remembered of its visits, and the rules.

A visit counts by its accuracy part, whatever else the completions earn; right is what has one above
0. A visit none of whose completions has that part tells nothing and does not count.

A hint that was shown in vain stays on: neither R̄ nor streak takes in a hinted visit, so nothing
else could tell. The first right answer switches it off, and the prompt begins anew, so that it
comes back only after new visits without it.

A decision follows from what was observed up to the end of the step before. All of it is saved with
every checkpoint, so a resumed run decides alike.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from avatar_core.config.hints import HintConfig
from avatar_core.records import Tier
from avatar_core.types import ACCURACY, Group


class History(NamedTuple):
    """What the visits of a prompt have shown."""

    visits: int = 0
    """Visits without the hint, since it last helped."""
    streak: int = 0
    """How many of the last of these had no right answer."""
    on: bool = False
    """The hint was shown in vain and stays on."""


class HintMemory:
    """What a run remembers for its hints, by prompt id.

    Attributes:
        refused: visits whose hint was due but not shown, since it holds the reference answer.
    """

    def __init__(self) -> None:
        self.refused = 0
        self._prompts: dict[str, History] = {}
        self._divergences: deque[float] = deque()

    def history(self, prompt_id: str) -> History:
        """What is known of a prompt."""
        return self._prompts.get(prompt_id, History())

    def observe(self, group: Group) -> None:
        """Take in a scored visit."""
        values = [completion.parts.get(ACCURACY) for completion in group.completions]
        scored = [value for value in values if value is not None]
        if scored:
            known = self.history(group.prompt_id)
            right = any(value > 0 for value in scored)
            self._prompts[group.prompt_id] = after(known, right=right, hinted=group.hinted)

    def are_low(self, divergences: Sequence[float], config: HintConfig) -> list[bool]:
        """Take in the divergences measured in one step and say which of them are low.

        Low is what does not exceed the quantile of the last `kl_window` measured, these included:
        an absolute bound would depend on model and learning rate. The quantile is the smallest
        measured value that at least that share of them does not exceed. One that is not finite
        is forgotten and never low.
        """
        self._divergences.extend(filter(math.isfinite, divergences))
        while len(self._divergences) > config.kl_window:
            self._divergences.popleft()
        if not self._divergences:
            return [False] * len(divergences)
        bound = np.quantile(list(self._divergences), config.kl_quantile, method="inverted_cdf")
        return [value <= bound for value in divergences]

    def state_dict(self) -> dict[str, Any]:
        """Everything as JSON values."""
        return {
            "refused": self.refused,
            "divergences": list(self._divergences),
            "prompts": {name: known._asdict() for name, known in self._prompts.items()},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave; nothing is a run without hints so far."""
        self.refused = state.get("refused", 0)
        self._divergences = deque(state.get("divergences", ()))
        self._prompts = {name: History(**known) for name, known in state.get("prompts", {}).items()}


def after(known: History, *, right: bool, hinted: bool) -> History:
    """What is known of a prompt after a scored visit.

    >>> after(History(visits=1, streak=1), right=False, hinted=False)
    History(visits=2, streak=2, on=False)
    >>> after(History(visits=2, streak=2), right=False, hinted=True)
    History(visits=2, streak=2, on=True)
    >>> after(History(visits=2, streak=2, on=True), right=True, hinted=True)
    History(visits=0, streak=0, on=False)
    """
    if hinted:
        return History() if right else known._replace(on=True)
    return known._replace(visits=known.visits + 1, streak=0 if right else known.streak + 1)


def is_due(known: History, config: HintConfig) -> bool:
    """Whether a prompt wants its hint by its visits alone: it is on, or its streak is long."""
    return known.on or (config.rule != "stuck" and known.streak >= config.zero_streak)


def may_be_stuck(known: History, tier: Tier, place: float | None, config: HintConfig) -> bool:
    """Whether a prompt meets all conditions of `stuck` but that on its divergence.

    Args:
        known: its visits; one without the hint must have come first.
        tier: its tier now.
        place: where it stands among all prompts by R̄, 0 the lowest, 1 the highest; `None` when it
            has no R̄.
        config: the rule.
    """
    return (
        config.rule != "zero_streak"
        and known.visits > 0
        and tier == "hard"
        and place is not None
        and place < config.reward_quantile
    )
