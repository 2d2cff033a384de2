"""Accuracy of sound localisation: overlap of the stated `position: object` pairs."""

from __future__ import annotations

from collections.abc import Callable

from avatar_core.rewards.answer import extract_pairs
from avatar_core.rewards.letter_sets import f1


def pair_scorer(solution: str) -> Callable[[str], float] | None:
    """F1 of the stated pairs against the solution's; 0 when none is stated.

    Returns:
        The function that scores one completion; `None` when the solution holds no pair.
    """
    gold = extract_pairs(solution)
    if gold is None:
        return None
    return lambda text: f1(extract_pairs(text) or frozenset(), gold)
