"""Mean relative accuracy (MRA), the metric of VSI-Bench's questions that ask for a number."""

from __future__ import annotations

import numpy as np

_CONFIDENCES = np.linspace(0.5, 0.95, 10)
"""Thresholds of the benchmark, evenly spaced in floating point as its own code has them. Written
as decimals or fractions some would differ in the last bit, and answers on the border with them."""


def mean_relative_accuracy(answer: float, gold: float) -> float:
    """Share of ten thresholds θ = 0.50, 0.55 … 0.95 with |answer − gold| / |gold| ≤ 1 − θ.

    Args:
        answer: what was stated; a value that is not finite is right nowhere.
        gold: the right value; of 0, to which no error is relative, only 0 itself is right.

    Returns:
        A multiple of 0.1 in [0, 1].

    >>> mean_relative_accuracy(9, 10)
    0.9
    """
    if gold == 0:
        return float(answer == 0)
    error = abs(answer - gold) / abs(gold)
    return float(np.mean(error <= 1 - _CONFIDENCES))
