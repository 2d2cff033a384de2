"""Difficulty tiers: where a prompt stands by rank of its mean reward when it is asked for."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from avatar_core.seeds import seed_from

Tier = Literal["easy", "medium", "hard"]
TIERS: tuple[Tier, Tier, Tier] = ("easy", "medium", "hard")
"""In the order of the shares (easy, medium, hard); a tier's code is its place here."""
_HARD = 2


class Rank(NamedTuple):
    """Place of a prompt among all prompts: mean reward first, then a hash that breaks ties.

    With 0/1 rewards most prompts share their mean; the hash splits them evenly and always alike, so
    each tier still gets its share.
    """

    mean: float
    tie: int
    prompt_id: str


def rank_of(prompt_id: str, mean: float | None) -> Rank:
    """Rank of a prompt; without a fresh reward (`None`) it stands below all others, so is hard."""
    return Rank(-math.inf if mean is None else mean, seed_from(prompt_id), prompt_id)


def quotas(n: int, shares: tuple[float, float, float]) -> tuple[int, int, int]:
    """Split `n` draws over the tiers by largest remainder; equal remainders go to the harder tier.

    >>> quotas(4, (0.25, 0.35, 0.40))
    (1, 1, 2)
    """
    exact = [n * share for share in shares]
    counts = [math.floor(value) for value in exact]
    # Rounded, because 0.1 · 3 is not 0.3: remainders that are equal on paper must tie.
    order = sorted(range(3), key=lambda tier: (round(exact[tier] - counts[tier], 9), tier))
    for tier in order[::-1][: n - sum(counts)]:
        counts[tier] += 1
    return counts[0], counts[1], counts[2]


class RankedPrompts:
    """All prompts with a fresh reward, sorted by rank.

    A plain sorted list: at 10,000 prompts an insertion moves 80 kB, which costs microseconds.

    Args:
        shares: of the easy, medium and hard tier.
    """

    def __init__(self, shares: tuple[float, float, float]) -> None:
        self.shares = shares
        self._seen: list[Rank] = []

    def __len__(self) -> int:
        """Number of prompts."""
        return len(self._seen)

    def see(self, old: Rank | None, new: Rank) -> None:
        """Move a prompt to its new rank."""
        if old is not None:
            del self._seen[bisect_left(self._seen, old)]
        insort(self._seen, new)

    def tier(self, rank: Rank) -> Tier:
        """Tier of a rank among all prompts seen.

        The prompt at place p of N (from 0, hardest first) stands at quantile (p + ½) / N: hard
        below the hard share, easy above hard + medium.
        """
        place = bisect_left(self._seen, rank)
        medium, easy = self._cuts()
        if place < medium:
            return "hard"
        return "medium" if place < easy else "easy"

    def codes(self, means: NDArray[np.float64], ties: NDArray[np.int64]) -> NDArray[np.int8]:
        """Tiers of many ranks, as places in `TIERS`.

        Args:
            means: mean reward of each prompt; −∞ for one without a fresh reward.
            ties: the hash that breaks ties, of each prompt.
        """
        codes = np.full(len(means), _HARD, np.int8)
        for place in self._cuts():
            if place < len(self._seen):
                cut = self._seen[place]
                passed = (means > cut.mean) | ((means == cut.mean) & (ties >= cut.tie))
                codes -= passed.view(np.int8)
        return codes

    def _cuts(self) -> tuple[int, int]:
        """Places at which the medium and the easy tier begin."""
        count = len(self._seen)
        _, medium, hard = self.shares
        return (
            max(0, math.ceil(round(hard * count, 9) - 0.5)),
            max(0, math.ceil(round((hard + medium) * count, 9) - 0.5)),
        )
