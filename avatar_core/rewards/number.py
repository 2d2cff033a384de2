"""Accuracy of a numerical answer: graded by its relative error, or right within a tolerance."""

from __future__ import annotations

from collections.abc import Callable

from avatar_core.rewards.answer import extract_number

_RELATIVE_TOLERANCE = 1e-3
_ABSOLUTE_TOLERANCE = 1e-5


def numeric_agreement(answer: float, target: float, *, strict: bool = False) -> float:
    """Agreement of two finite numbers in [0, 1].

    Dense: 1 − min(1, |ŷ − y| / |y|), and 1 − min(1, |ŷ|) for y = 0. Strict: 1 when the relative
    error is below 10⁻³ (the absolute error below 10⁻⁵ where |y| < 10⁻⁵), else 0.
    """
    error = abs(answer - target)
    if strict:
        small = abs(target) < _ABSOLUTE_TOLERANCE
        limit = _ABSOLUTE_TOLERANCE if small else _RELATIVE_TOLERANCE * abs(target)
        return float(error < limit)
    return 1.0 - min(1.0, error / abs(target) if target else error)


def number_scorer(solution: str, *, strict: bool) -> Callable[[str], float] | None:
    """Agreement of the stated number with the solution's; 0 when none is stated.

    Returns:
        The function that scores one completion; `None` when the solution holds no number.
    """
    gold = extract_number(solution)
    if gold is None:
        return None

    def score(text: str) -> float:
        answer = extract_number(text)
        return 0.0 if answer is None else numeric_agreement(answer, gold, strict=strict)

    return score
