"""The one answer parser, for rewards and for evaluation: it returns what a reply states, or `None`.

It never guesses: no default letter, no search in the prompt, no number from the reasoning.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from avatar_core.rewards.letter_rules import read_letter
from avatar_core.rewards.numerals import last_number
from avatar_core.rewards.pairs import read_pairs
from avatar_core.rewards.tags import Parts, readings, split_completion

__all__ = [
    "Parts",
    "answer_text",
    "extract_letter",
    "extract_number",
    "extract_pairs",
    "read_answer",
    "split_completion",
]

T = TypeVar("T")


def answer_text(text: str) -> str:
    """Content of the answer tags, else what follows the reasoning; empty when it never ended."""
    return split_completion(text).answer


def _never(_: str) -> bool:
    return False


def read_answer(
    text: str,
    read: Callable[[str], T | None],
    *,
    unclosed: bool = True,
    settles: Callable[[str], bool] = _never,
) -> T | None:
    """Read the content of the last answer tag and, when that states nothing, what surrounds it.

    Args:
        text: generated text, without the prompt.
        read: gives what a text without tags states, or `None`.
        unclosed: read a reasoning that never ended as a whole, as evaluation does for replies that
            ended by themselves; otherwise only an answer tag in it counts, as for rewards.
        settles: whether the content of the tag is an answer even where `read` makes nothing of it,
            so that what surrounds it is not read.
    """
    for place in readings(text, unclosed=unclosed):
        found = read(place)
        if found is not None or settles(place):
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
