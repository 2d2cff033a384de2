"""Reward functions by name, and the contract they keep.

A reward function scores one group of completions to one prompt:

    function(texts, sample, **options) -> list[float | None]

- `texts` are all completions of the group, so that a function may compare them.
- `sample` is the question with its reference answer.
- `options` are the function's own keyword parameters, set by the configuration.
- One value per text comes back: a finite number, or `None` where it is not the model's fault that
  there is no score (a failed judge, an unusable solution). A model's empty answer is a low score.

A function that needs more than the texts declares a keyword `context` and is given a
`RewardContext`; to others nothing is passed:

    @register("brightness")
    def brightness(texts, sample, *, context):
        return [float(context.clips[0].frames.mean() / 255) for _ in texts]
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from avatar_core.errors import UsageError
from avatar_core.types import Clip

RewardFunction = Callable[..., "list[float | None]"]
"""`(texts: Sequence[str], sample: Sample, **options) -> list[float | None]`, see the module."""

REWARDS: dict[str, RewardFunction] = {}
"""Name, as used in reward weights, to function."""

_CONTEXT = "context"


@dataclass(frozen=True, slots=True)
class RewardContext:
    """What a reward function may need beside the texts and the sample.

    Attributes:
        clips: decoded media of the prompt in its order; empty where the caller kept none.
        judge: the judge of the run, `None` without one.
        fresh: the completions are one group drawn just now; `False` when stored ones are scored
            again.
    """

    clips: Sequence[Clip] = ()
    judge: object | None = None
    fresh: bool = True


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


def option_names(function: RewardFunction) -> frozenset[str]:
    """Keyword parameters of a reward function that the configuration may set."""
    return frozenset(_keywords(function)) - {_CONTEXT}


def wants_context(function: RewardFunction) -> bool:
    """Whether a reward function declares the keyword `context`."""
    return _CONTEXT in _keywords(function)


def _keywords(function: RewardFunction) -> list[str]:
    """Named parameters behind `texts` and `sample`."""
    parameters = list(inspect.signature(function).parameters.values())[2:]
    return [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
