"""Advantages as the tokens get them: each times the weight of its place in the completion."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from avatar_core.records import GroupRow
from avatar_core.reporting.statistics import Selection, select


@dataclass(frozen=True, slots=True)
class TokenStatistics:
    """Distribution of the weighted advantages wₜA over all tokens of one source.

    Attributes:
        count: tokens of completions with an advantage.
        weight_mean: mean token weight.
        mean: mean of wₜA.
        std: standard deviation (population).
        within_0_1: share with |wₜA| ≤ 0.1.
        within_0_25: share with |wₜA| ≤ 0.25.
        beyond_1: share with |wₜA| > 1.
    """

    count: int
    weight_mean: float | None
    mean: float | None
    std: float | None
    within_0_1: float | None
    within_0_25: float | None
    beyond_1: float | None


def token_statistics(
    groups: Sequence[GroupRow],
    selection: Selection,
    weights_of: Callable[[int], Sequence[float]],
) -> TokenStatistics:
    """Describe the weighted advantages of one source.

    Completions of one length share their weights, so they are taken together: a run may have 10⁸
    tokens.

    Args:
        groups: rows of a run.
        selection: which of them.
        weights_of: weights of the tokens of a completion by its length.
    """
    totals = np.zeros(7)
    for length, advantages in _by_length(select(groups, selection)).items():
        totals += _totals(np.array(weights_of(length)), np.array(advantages))
    count = totals[0]
    if not count:
        return TokenStatistics(0, None, None, None, None, None, None)
    weight_mean, mean, square, small, quarter, large = (float(v) for v in totals[1:] / count)
    return TokenStatistics(
        count=int(count),
        weight_mean=weight_mean,
        mean=mean,
        std=max(0.0, square - mean**2) ** 0.5,
        within_0_1=small,
        within_0_25=quarter,
        beyond_1=large,
    )


def _by_length(groups: Sequence[GroupRow]) -> dict[int, list[float]]:
    """Advantages by the length of the completion in tokens, those without tokens left out."""
    found: dict[int, list[float]] = {}
    for row in groups:
        for completion in row.completions:
            if completion.advantage is not None and completion.tokens:
                found.setdefault(completion.tokens, []).append(completion.advantage)
    return found


def _totals(weights: np.ndarray, advantages: np.ndarray) -> np.ndarray:
    """Sums over tokens × completions: 1, w, wA, (wA)², and [|wA| ≤ 0.1], [≤ 0.25], [> 1].

    Args:
        weights: w of each token, [tokens], positive.
        advantages: A of each completion, [completions].
    """
    magnitudes = np.sort(np.abs(advantages))

    def within(bound: float) -> float:
        return float(np.searchsorted(magnitudes, bound / weights, side="right").sum())

    size = weights.size * advantages.size
    return np.array(
        [
            size,
            weights.sum() * advantages.size,
            weights.sum() * advantages.sum(),
            (weights**2).sum() * (advantages**2).sum(),
            within(0.1),
            within(0.25),
            size - within(1.0),
        ]
    )
