"""Accuracy of a multiple-choice answer: the stated option is the right one or it is not."""

from __future__ import annotations

from collections.abc import Callable

from avatar_core.rewards.answer import extract_letter
from avatar_core.rewards.letters import stated_letter, valid_letters
from avatar_core.types import Sample


def choice_scorer(sample: Sample) -> Callable[[str], float] | None:
    """1 when a completion states the solution's option, else 0.

    The solution may be a letter or an option text, bare or in answer tags.

    Returns:
        The function that scores one completion; `None` when the solution names no option.
    """
    letters = valid_letters(sample)
    gold = extract_letter(sample.solution, letters, sample.options)
    if gold is None:
        return None
    return lambda text: float(stated_letter(text, letters, sample.options) == gold)
