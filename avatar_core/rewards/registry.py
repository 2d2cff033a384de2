"""Reward functions by name."""

from __future__ import annotations

from collections.abc import Callable

from avatar_core.errors import UsageError

RewardFunction = Callable[..., "list[float | None]"]
"""`(texts: Sequence[str], sample: Sample, **options) -> list[float | None]`.

`texts` are the completions of one group, so that a function may compare them; one value per text
comes back, `None` where it is not the model's fault that there is no score.
"""

REWARDS: dict[str, RewardFunction] = {}
"""Name, as used in reward weights, to function."""


def register(name: str) -> Callable[[RewardFunction], RewardFunction]:
    """Decorator that adds a reward function to `REWARDS`.

    Raises:
        UsageError: the name is taken.
    """

    def add(function: RewardFunction) -> RewardFunction:
        if name in REWARDS:
            raise UsageError(f"reward {name!r} is already registered; choose another name")
        REWARDS[name] = function
        return function

    return add
