"""Difficulty tiers: where a prompt stands by rank of its mean reward when it is asked for."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Iterator
from typing import Literal, NamedTuple

from avatar_core.seeds import seed_from

Tier = Literal["easy", "medium", "hard"]
TIERS: tuple[Tier, Tier, Tier] = ("easy", "medium", "hard")
"""In the order of the shares (easy, medium, hard)."""


class Rank(NamedTuple):
    """Place of a prompt among all prompts: mean reward first, then a hash that breaks ties.

    With 0/1 rewards most prompts share their mean; the hash splits them evenly and always alike, so
    each tier still gets its share.
    """

    mean: float
    tie: int
    prompt_id: str


class Spans(NamedTuple):
    """Half-open index ranges of the tiers in a list sorted from hard to easy."""

    easy: range
    medium: range
    hard: range


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
    """All prompts seen, sorted by rank, and beside them the stored ones with their size and age.

    Plain sorted lists: at 10,000 prompts an insertion moves 80 kB, which costs microseconds, and
    sums run in C.
    """

    def __init__(self, shares: tuple[float, float, float]) -> None:
        self.shares = shares
        self._seen: list[Rank] = []
        self._stored: list[Rank] = []
        self._sizes: list[int] = []
        self._oldest: list[int] = []

    def __len__(self) -> int:
        """Number of stored prompts."""
        return len(self._stored)

    def __iter__(self) -> Iterator[str]:
        """Ids of the stored prompts from hard to easy."""
        return (rank.prompt_id for rank in self._stored)

    def prompt_at(self, index: int) -> str:
        """Id of the stored prompt at an index of `spans`."""
        return self._stored[index].prompt_id

    def see(self, old: Rank | None, new: Rank) -> None:
        """Move a prompt to its new rank among all prompts with a fresh reward."""
        if old is not None:
            del self._seen[bisect_left(self._seen, old)]
        insort(self._seen, new)

    def store(self, rank: Rank, size: int, oldest: int) -> None:
        """List a stored prompt with its completions and the number of its oldest group."""
        index = bisect_left(self._stored, rank)
        self._stored.insert(index, rank)
        self._sizes.insert(index, size)
        self._oldest.insert(index, oldest)

    def drop(self, rank: Rank) -> None:
        """Take a stored prompt off the list."""
        index = bisect_left(self._stored, rank)
        del self._stored[index], self._sizes[index], self._oldest[index]

    def tier(self, rank: Rank) -> Tier:
        """Tier of a rank among all prompts seen.

        The prompt at place p of N (from 0, hardest first) stands at quantile (p + ½) / N: hard
        below the hard share, easy above hard + medium.
        """
        place = bisect_left(self._seen, rank)
        hard, medium = self._cuts()
        if place < hard:
            return "hard"
        return "medium" if place < medium else "easy"

    def spans(self) -> Spans:
        """Where the tiers lie in the list of stored prompts."""
        hard, medium = (
            bisect_left(self._stored, self._seen[cut]) if cut < len(self._seen) else len(self)
            for cut in self._cuts()
        )
        return Spans(range(medium, len(self)), range(hard, medium), range(hard))

    def sizes(self) -> tuple[int, int, int]:
        """Stored completions of each tier, in the order of `TIERS`."""
        easy, medium, hard = (sum(self._sizes[span.start : span.stop]) for span in self.spans())
        return easy, medium, hard

    def oldest(self, tier: Tier) -> int:
        """Number of the oldest group in a tier that holds at least one."""
        span = getattr(self.spans(), tier)
        return min(self._oldest[span.start : span.stop])

    def fullest(self) -> Tier:
        """The tier most over its share of the stored completions; at a tie the oldest group's."""
        sizes = self.sizes()
        total = sum(sizes)
        excess = {
            tier: round(size - share * total, 9)
            for tier, size, share in zip(TIERS, sizes, self.shares, strict=True)
            if size
        }
        most = max(excess.values())
        return min((tier for tier in excess if excess[tier] == most), key=self.oldest)

    def _cuts(self) -> tuple[int, int]:
        """Number of seen prompts below the medium and below the easy tier."""
        count = len(self._seen)
        _, medium, hard = self.shares
        return (
            max(0, math.ceil(round(hard * count, 9) - 0.5)),
            max(0, math.ceil(round((hard + medium) * count, 9) - 0.5)),
        )
