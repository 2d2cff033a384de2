"""The weighted total of several rewards.

What cannot be scored has no total: it is neither zero nor made up for by the other rewards, so that
totals of one run are on one scale, and it leaves mean, deviation and denominators.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import NamedTuple

from avatar_core.errors import UsageError
from avatar_core.naming import nearest
from avatar_core.rewards.registry import (
    REWARDS,
    RewardContext,
    RewardFunction,
    option_names,
    wants_context,
)
from avatar_core.types import Sample

_NO_OPTIONS: Mapping[str, Mapping[str, object]] = {}
_NO_CONTEXT = RewardContext()


class Scored(NamedTuple):
    """Rewards of one completion."""

    total: float | None
    """Weighted sum of the parts; `None` when a part with a weight other than 0 has no score."""
    parts: dict[str, float | None]
    """Unweighted reward of each function by name."""


def score(
    texts: Sequence[str],
    sample: Sample,
    weights: Mapping[str, float],
    options: Mapping[str, Mapping[str, object]] = _NO_OPTIONS,
    *,
    context: RewardContext = _NO_CONTEXT,
) -> list[Scored]:
    """Score the completions of one group: R = Σ_k w_k R_k.

    A failed part is never counted as zero: it leaves the completion without a total. A weight of 0
    records a part without letting it count.

    Args:
        texts: completions of one group.
        sample: what they answer.
        weights: reward name to weight.
        options: reward name to keyword arguments of that function.
        context: passed to the functions that declare it.

    Returns:
        One `Scored` per text, in order.

    Raises:
        UsageError: no weights, an unknown reward or option, or values that break the contract of
            `registry`.
    """
    if not weights:
        raise UsageError(f"no reward weights are set; weight at least one of {', '.join(REWARDS)}")
    for name in options:
        if name not in weights:
            raise UsageError(f"reward {name!r} has options but no weight; add one or drop them")
    columns = {
        name: _column(name, texts, sample, options.get(name, {}), context) for name in weights
    }
    rows = [
        {name: column[index] for name, column in columns.items()} for index in range(len(texts))
    ]
    return [Scored(_total(row, weights), row) for row in rows]


def _column(
    name: str,
    texts: Sequence[str],
    sample: Sample,
    options: Mapping[str, object],
    context: RewardContext,
) -> list[float | None]:
    """The values of one reward function, checked."""
    function = _find(name)
    for option in options:
        if option not in option_names(function):
            raise UsageError(f"reward {name!r} has no option {option!r}; remove it")
    given = {**options, "context": context} if wants_context(function) else options
    return _checked(name, function(texts, sample, **given), len(texts), sample)


def _checked(name: str, values: object, count: int, sample: Sample) -> list[float | None]:
    """The values as floats, or an error where a function breaks its promise."""
    if not isinstance(values, list):
        raise UsageError(
            f"reward {name!r} gave {type(values).__name__}, not a list of values; mend it"
        )
    if len(values) != count:
        raise UsageError(
            f"reward {name!r} gave {len(values)} values for {count} completions; mend it"
        )
    for value in values:
        if value is not None and not (isinstance(value, Real) and math.isfinite(value)):
            raise UsageError(
                f"reward {name!r} gave {value!r} for sample {sample.id!r}, which is neither "
                "a finite number nor None; mend it"
            )
    return [None if value is None else float(value) for value in values]


def _find(name: str) -> RewardFunction:
    """The registered function, or an error that names the nearest one."""
    if name not in REWARDS:
        raise UsageError(f"unknown reward {name!r}{nearest(name, sorted(REWARDS))}")
    return REWARDS[name]


def _total(parts: Mapping[str, float | None], weights: Mapping[str, float]) -> float | None:
    """Weighted sum of the parts that carry weight."""
    total = 0.0
    for name, weight in weights.items():
        value = parts[name]
        if weight and value is None:
            return None
        if value is not None:
            total += weight * value
    return total
