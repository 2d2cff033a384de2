"""What a lecture adds: the same questions asked without it and with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from avatar_core.records import EvalRow


class Knowledge(NamedTuple):
    """Change from the run without the lecture to the run with it."""

    n: int
    """Questions."""
    before: float
    """Accuracy without the lecture, in percent."""
    after: float
    """Accuracy with it, in percent."""
    delta: float | None
    """Δknowledge in percent; `None` when nothing was wrong before."""
    wrong_to_right: float | None
    """Share of the questions wrong before that are right after; `None` when there were none."""
    right_to_wrong: float | None
    """Share of the questions right before that are wrong after; `None` when there were none."""


def delta_knowledge(before: float, after: float) -> float | None:
    """Δ = 100 · (after − before) / (100 − before): the share of what could be gained.

    Args:
        before: accuracy without the lecture, in percent.
        after: accuracy with it, in percent.

    Returns:
        Δknowledge in percent, negative for a loss; `None` when `before` is 100.
    """
    return 100 * (after - before) / (100 - before) if before < 100 else None


def knowledge_gain(question_only: Sequence[EvalRow], adaptation: Sequence[EvalRow]) -> Knowledge:
    """Compare two runs of the same questions; failed items count as wrong in either.

    Args:
        question_only: rows of the run without the lecture.
        adaptation: rows of the run with it, in any order.

    Raises:
        ValueError: there are no rows, or the runs are not of the same items.
    """
    before = {row.id: bool(row.correct) for row in question_only}
    after = {row.id: bool(row.correct) for row in adaptation}
    if not before or before.keys() != after.keys():
        raise ValueError("knowledge_gain needs two runs of the same items; select the same subset")
    n, right_before = len(before), sum(before.values())
    shares = (100 * right_before / n, 100 * sum(after.values()) / n)
    gained = sum(after[key] for key, right in before.items() if not right)
    lost = sum(not after[key] for key, right in before.items() if right)
    return Knowledge(
        n,
        *shares,
        delta=delta_knowledge(*shares),
        wrong_to_right=_share(gained, n - right_before),
        right_to_wrong=_share(lost, right_before),
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
