"""The weighted total of several rewards."""

from __future__ import annotations

import difflib
import inspect
import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from avatar_core.errors import UsageError
from avatar_core.rewards.registry import REWARDS, RewardFunction
from avatar_core.types import Sample

_NO_OPTIONS: Mapping[str, Mapping[str, object]] = {}


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
) -> list[Scored]:
    """Score the completions of one group: R = Σ_k w_k R_k.

    A failed part is never counted as zero: it leaves the completion without a total. A weight of 0
    records a part without letting it count.

    Args:
        texts: completions of one group.
        sample: what they answer.
        weights: reward name to weight.
        options: reward name to keyword arguments of that function.

    Returns:
        One `Scored` per text, in order.

    Raises:
        UsageError: no weights, an unknown reward or option, or a value that is not finite.
    """
    if not weights:
        raise UsageError(f"no reward weights are set; weight at least one of {', '.join(REWARDS)}")
    for name in options:
        if name not in weights:
            raise UsageError(f"reward {name!r} has options but no weight; add one or drop them")
    columns = {name: _column(name, texts, sample, options.get(name, {})) for name in weights}
    rows = [
        {name: column[index] for name, column in columns.items()} for index in range(len(texts))
    ]
    return [Scored(_total(row, weights), row) for row in rows]


def _column(
    name: str, texts: Sequence[str], sample: Sample, options: Mapping[str, object]
) -> list[float | None]:
    """The values of one reward function, checked."""
    function = _find(name)
    for option in options:
        if option not in inspect.signature(function).parameters:
            raise UsageError(f"reward {name!r} has no option {option!r}; remove it")
    values = function(texts, sample, **options)
    if len(values) != len(texts):
        raise UsageError(
            f"reward {name!r} gave {len(values)} values for {len(texts)} completions; mend it"
        )
    if any(value is not None and not math.isfinite(value) for value in values):
        raise UsageError(f"reward {name!r} is not finite for sample {sample.id!r}; mend it")
    return values


def _find(name: str) -> RewardFunction:
    """The registered function, or an error that names the nearest one."""
    if name not in REWARDS:
        near = difflib.get_close_matches(name, REWARDS, n=1, cutoff=0.0)
        raise UsageError(
            f"unknown reward {name!r}; did you mean {near[0]!r}?"
            if near
            else f"unknown reward {name!r}; none is registered"
        )
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
