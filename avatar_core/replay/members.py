"""Which completions of a group a draw takes."""

from __future__ import annotations

import random
from collections.abc import Collection

import numpy as np

from avatar_core.types import Group


def diverse_members(
    group: Group, count: int, taken: Collection[int], rng: random.Random
) -> list[int]:
    """Draw up to `count` scored members whose rewards are spread as widely as the group allows.

    One is drawn uniformly. Two are the lowest and the highest reward, more are spaced evenly
    between them in reward order; which of several equal rewards is taken is left to chance.

    Args:
        group: with rewards.
        count: at least 1.
        taken: indices that may not be drawn.
        rng: source of chance.

    Returns:
        Indices of completions, all different; fewer than `count` when no more are left.
    """
    left = [
        index
        for index, member in enumerate(group.completions)
        if member.reward is not None and index not in taken
    ]
    rng.shuffle(left)
    if count == 1 or not left:
        return left[:count]
    left.sort(key=lambda index: group.completions[index].reward or 0.0)
    places = np.linspace(0, len(left) - 1, min(count, len(left))).round().astype(int)
    return [left[place] for place in places]
