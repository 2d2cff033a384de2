"""The one answer parser, for rewards and for evaluation: it returns what a reply states, or `None`.

It never guesses: no default letter, no search in the prompt, no number from the reasoning.
"""

from __future__ import annotations

from collections.abc import Sequence

from avatar_core.rewards.letter_rules import read_letter
from avatar_core.rewards.numerals import last_number
from avatar_core.rewards.pairs import read_pairs
from avatar_core.rewards.tags import Parts, split_completion, tagged_answer, tail_of, without_tags

__all__ = [
    "Parts",
    "answer_text",
    "extract_letter",
    "extract_number",
    "extract_pairs",
    "split_completion",
]


def answer_text(text: str) -> str:
    """Content of the answer tags, else what follows the reasoning; empty when it never ended."""
    return split_completion(text).answer


def extract_letter(
    text: str, letters: Sequence[str], options: Sequence[str] | None = None
) -> str | None:
    """Read the chosen option from a reply.

    The content of the last answer tag is read first, then what surrounds it behind the last
    `</think>`. A `<think>` that never closes is read whole; `split_completion(text).closed` tells.

    Args:
        text: generated text, without the prompt.
        letters: valid capital letters, a string or a sequence.
        options: option texts in the order of `letters`, for replies that name the text.

    Returns:
        One of `letters`, or `None` when the reply states none of them.

    >>> extract_letter("<think>A or C?</think><answer>D</answer>", "ABCD")
    'D'
    """
    texts = options or ()
    tail = tail_of(text).text
    tagged = tagged_answer(tail)
    if tagged is None:
        return read_letter(without_tags(tail), letters, texts)
    letter = read_letter(without_tags(tagged.content), letters, texts)
    return letter or read_letter(without_tags(tagged.rest), letters, texts)


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
