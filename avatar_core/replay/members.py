"""Which completions of a group a draw takes."""

from __future__ import annotations

import random
from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from avatar_core.algo.priority import gumbel_top_k


def diverse_members(
    rewards: NDArray[np.float64], count: int, taken: Collection[int], rng: random.Random
) -> list[int]:
    """Draw up to `count` scored members whose rewards are spread as widely as the group allows.

    One is drawn uniformly. Two are the lowest and the highest reward, more are spaced evenly
    between them in reward order; which of several equal rewards is taken is left to chance.

    Args:
        rewards: of the group's completions, [G]; NaN where there is none.
        count: at least 1.
        taken: indices that may not be drawn.
        rng: source of chance.

    Returns:
        Indices of completions, all different; fewer than `count` when no more are left.
    """
    left = _left(rewards, taken)
    rng.shuffle(left)
    if count == 1 or not left:
        return left[:count]
    left.sort(key=rewards.__getitem__)
    places = np.linspace(0, len(left) - 1, min(count, len(left))).round().astype(int)
    return [left[place] for place in places]


def likely_members(
    scores: NDArray[np.float64],
    temperature: float,
    count: int,
    taken: Collection[int],
    chance: np.random.Generator,
) -> list[int]:
    """Draw up to `count` members without replacement by a softmax of their scores.

    Args:
        scores: of the group's completions, [G]; NaN where there is no reward.
        temperature: of the softmax.
        count: at least 1.
        taken: indices that may not be drawn.
        chance: source of chance.

    Returns:
        Indices of completions, all different; fewer than `count` when no more are left.
    """
    left = _left(scores, taken)
    if not left:
        return []
    noise = chance.gumbel(size=len(left))
    return [left[place] for place in gumbel_top_k(scores[left] / temperature, noise, count).places]


def _left(values: NDArray[np.float64], taken: Collection[int]) -> list[int]:
    return [i for i in np.flatnonzero(~np.isnan(values)).tolist() if i not in taken]
