"""The one answer parser, for rewards and for evaluation: it returns what a reply states, or `None`.

It never guesses: no default letter, no search in the prompt, no number from the reasoning.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from avatar_core.rewards.letter_rules import read_letter
from avatar_core.rewards.letter_sets import read_letter_set
from avatar_core.rewards.numerals import first_number, last_number
from avatar_core.rewards.pairs import read_pairs
from avatar_core.rewards.tags import Parts, readings, split_completion
from avatar_core.rewards.whole_number import read_whole_number
from avatar_core.rewards.yes_no import YesNo, read_yes_no

__all__ = [
    "Parts",
    "answer_text",
    "extract_first_number",
    "extract_letter",
    "extract_letter_set",
    "extract_number",
    "extract_pairs",
    "extract_whole_number",
    "extract_yes_no",
    "read_answer",
    "split_completion",
]

T = TypeVar("T")


def answer_text(text: str) -> str:
    """Content of the answer tags, else what follows the reasoning; empty when it never ended."""
    return split_completion(text).answer


def read_answer(text: str, read: Callable[[str], T | None], *, unclosed: bool = True) -> T | None:
    """Read the content of the last answer tag and, when that states nothing, what surrounds it.

    Args:
        text: generated text, without the prompt.
        read: gives what a text without tags states, or `None`.
        unclosed: read a reasoning that never ended as a whole, as evaluation does for replies that
            ended by themselves; otherwise only an answer tag in it counts, as for rewards.
    """
    for place in readings(text, unclosed=unclosed):
        found = read(place)
        if found is not None:
            return found
    return None


def extract_letter(
    text: str,
    letters: Sequence[str],
    options: Sequence[str] | None = None,
    *,
    unclosed: bool = True,
) -> str | None:
    """Read the chosen option from a reply, in the places of `read_answer`.

    Args:
        text: generated text, without the prompt.
        letters: valid capital letters, a string or a sequence.
        options: option texts in the order of `letters`, for replies that name the text.
        unclosed: see `read_answer`; `split_completion(text).closed` tells.

    Returns:
        One of `letters`, or `None` when the reply states none of them.

    >>> extract_letter("<think>A or C?</think><answer>D</answer>", "ABCD")
    'D'
    """
    return read_answer(
        text, lambda place: read_letter(place, letters, options or ()), unclosed=unclosed
    )


def extract_letter_set(
    text: str,
    letters: Sequence[str],
    options: Sequence[str] | None = None,
    *,
    unclosed: bool = True,
) -> frozenset[str] | None:
    """Read the chosen options from a reply; arguments as of `extract_letter`.

    >>> sorted(extract_letter_set("<answer>B and D</answer>", "ABCDEF"))
    ['B', 'D']
    """
    return read_answer(
        text, lambda place: read_letter_set(place, letters, options or ()), unclosed=unclosed
    )


def extract_yes_no(text: str, *, unclosed: bool = True) -> YesNo | None:
    """Read yes or no from a reply, in the places of `read_answer`.

    >>> extract_yes_no("<think>no...</think>Yes, I know him.")
    'yes'
    """
    return read_answer(text, read_yes_no, unclosed=unclosed)


def extract_whole_number(text: str, *, unclosed: bool = True) -> int | None:
    """Read the first number from a reply, in the places of `read_answer`, when it is whole.

    >>> extract_whole_number("<think>5, no, 6</think>There are twenty-one.")
    21
    """
    return read_answer(text, read_whole_number, unclosed=unclosed)


def extract_first_number(text: str, *, unclosed: bool = True) -> float | None:
    """Read the first number from a reply, in the places of `read_answer`.

    >>> extract_first_number("About 1.8 m by 2 m")
    1.8
    """
    return read_answer(text, first_number, unclosed=unclosed)


def extract_number(text: str) -> float | None:
    """Read the last number of the answer tags, else of the text behind the reasoning.

    Returns:
        The number as written ("45 %" is 45.0), or `None` when none is stated; see
        `avatar_core.rewards.numerals.last_number` for what counts.

    >>> extract_number("<think>5 beeps, no, 6</think><answer>There are seven.</answer>")
    7.0
    """
    return last_number(answer_text(text))


def extract_pairs(text: str) -> frozenset[tuple[str, str]] | None:
    """Read the set of `position: object` pairs of the answer, or `None` when there is none.

    >>> sorted(extract_pairs("<answer>left: the red ball; right: a Dog</answer>"))
    [('left', 'red ball'), ('right', 'dog')]
    """
    return read_pairs(answer_text(text))
