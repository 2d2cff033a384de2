"""Accuracy of recognised text: one minus the word error rate."""

from __future__ import annotations

from collections.abc import Callable

from avatar_core.rewards.answer import answer_text


def word_agreement(answer: str, target: str) -> float:
    """1 − min(1, word error rate), in lower case; `target` holds at least one word."""
    # The metric library takes long to import and most runs never need it.
    import jiwer

    rate = jiwer.wer(" ".join(target.lower().split()), " ".join(answer.lower().split()))
    return 1.0 - min(1.0, float(rate))


def word_error_scorer(solution: str) -> Callable[[str], float] | None:
    """Agreement of the answer's words with the solution's.

    Returns:
        The function that scores one completion; `None` when the solution holds no word.
    """
    gold = answer_text(solution)
    if not gold.split():
        return None
    return lambda text: word_agreement(answer_text(text), gold)
