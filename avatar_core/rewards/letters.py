"""Which letters a multiple-choice question offers, and which of them a completion states."""

from __future__ import annotations

from collections.abc import Sequence

from avatar_core.choices import LETTERS
from avatar_core.rewards.answer import extract_letter, split_completion
from avatar_core.rewards.letter_rules import read_letter
from avatar_core.types import Sample

_UNLISTED = 4


def valid_letters(sample: Sample) -> str:
    """Letters an answer may choose from.

    One per option. A sample that does not list its options offers A to D, or on to the letter of
    its solution when that lies behind D.
    """
    if sample.options:
        return LETTERS[: len(sample.options)]
    gold = extract_letter(sample.solution, LETTERS)
    return LETTERS[: max(_UNLISTED, LETTERS.index(gold) + 1 if gold else 0)]


def stated_letter(
    text: str, letters: Sequence[str], options: Sequence[str] | None = None
) -> str | None:
    """The option a completion answers with, as rewards, votes and evaluation read it.

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
    parts = split_completion(text)
    if parts.closed:
        return extract_letter(text, letters, options)
    return read_letter(parts.answer, letters, options or ()) if parts.answer else None
