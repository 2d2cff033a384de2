"""Accuracy of sound localisation: overlap of the stated `position: object` pairs."""

from __future__ import annotations

from collections.abc import Callable

from avatar_core.rewards.answer import extract_pairs

Pairs = frozenset[tuple[str, str]]


def pair_f1(answer: Pairs, target: Pairs) -> float:
    """F1 = 2 |P ∩ G| / (|P| + |G|) of two sets of normalised pairs, of which one is not empty."""
    return 2 * len(answer & target) / (len(answer) + len(target))


def pair_scorer(solution: str) -> Callable[[str], float] | None:
    """F1 of the stated pairs against the solution's; 0 when none is stated.

    Returns:
        The function that scores one completion; `None` when the solution holds no pair.
    """
    gold = extract_pairs(solution)
    if gold is None:
        return None
    return lambda text: pair_f1(extract_pairs(text) or frozenset(), gold)
