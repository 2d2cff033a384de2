"""What a lecture adds: the same questions asked without it and with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from avatar_core.evaluation_records import EvalRow


def delta_knowledge(before: float, after: float) -> float | None:
    """Δ = (after − before) / (1 − before): the share of what could be gained.

    Args:
        before: accuracy without the lecture, a fraction.
        after: accuracy with it, a fraction.

    Returns:
        Δknowledge, negative for a loss; `None` when nothing was wrong before.
    """
    return (after - before) / (1 - before) if before < 1 else None


def knowledge_figures(
    question_only: Sequence[EvalRow], adaptation: Sequence[EvalRow]
) -> Mapping[str, float | None]:
    """Compare two runs of the same questions; failed items count as wrong in either.

    Args:
        question_only: rows of the run without the lecture, at least one.
        adaptation: rows of the run with it, of the same items in any order.

    Returns:
        `delta_knowledge`; `wrong_to_right`, the share of the questions wrong before that are right
        after; `right_to_wrong`, the reverse. `None` where there was nothing to change.
    """
    before = {row.id: bool(row.correct) for row in question_only}
    after = {row.id: bool(row.correct) for row in adaptation}
    n, right_before = len(before), sum(before.values())
    gained = sum(after[key] for key, right in before.items() if not right)
    lost = sum(not after[key] for key, right in before.items() if right)
    return {
        "delta_knowledge": delta_knowledge(right_before / n, sum(after.values()) / n),
        "wrong_to_right": _share(gained, n - right_before),
        "right_to_wrong": _share(lost, right_before),
    }


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
