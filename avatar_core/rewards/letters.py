"""Which letters a multiple-choice question offers, and which of them a completion states."""

from __future__ import annotations

from collections.abc import Sequence

from avatar_core.choices import LETTERS
from avatar_core.rewards.answer import extract_letter
from avatar_core.types import Sample

_UNLISTED = 4


def valid_letters(sample: Sample) -> str:
    """Letters an answer to a sample may choose from, see `offered_letters`."""
    return offered_letters(sample.options, sample.solution)


def offered_letters(options: Sequence[str], solution: str) -> str:
    """Letters an answer may choose from: one per option.

    A question that does not list its options offers A to D, or on to the letter of its solution
    when that lies behind D.
    """
    if options:
        return LETTERS[: len(options)]
    gold = extract_letter(solution, LETTERS)
    return LETTERS[: max(_UNLISTED, LETTERS.index(gold) + 1 if gold else 0)]


def stated_letter(
    text: str, letters: Sequence[str], options: Sequence[str] | None = None
) -> str | None:
    """The option a completion answers with, as rewards and votes read it.

    A letter in a reasoning that never ended is no answer: then only an answer tag is read.

    Args:
        text: the completion.
        letters: valid capital letters, see `valid_letters`.
        options: option texts in the order of `letters`.

    Returns:
        One of `letters`, or `None` when the completion answers with none of them.

    >>> stated_letter("<think>it must be B", "ABCD") is None
    True
    >>> stated_letter("it must be B", "ABCD")
    'B'
    """
    return extract_letter(text, letters, options, unclosed=False)
