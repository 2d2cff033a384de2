"""Wordings that benchmarks share: our own sentences for what their protocols ask."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from avatar_core.benchmarks.item import AnswerKind, Item, PromptStyle
from avatar_core.benchmarks.options import split_inline
from avatar_core.choices import LETTERS
from avatar_core.types import Content

_ANSWERS: dict[AnswerKind, str] = {
    "mc": "the letter of the right option",
    "multi": "the letters of all right options, separated by commas,",
    "yesno": "Yes or No",
    "count": "one whole number",
    "number": "one number",
    "open": "a short answer",
    "clue": "the JSON that was asked for",
    "reward": "the final answer",
}

QWEN_IDENTITY = (
    "You are Qwen, a virtual human developed by the Qwen Team, Alibaba Group, capable of "
    "perceiving auditory and visual inputs, as well as generating text and speech."
)
"""The system text that Qwen2.5-Omni was trained with; the authors' script sends it."""


def lettered(options: Sequence[str], form: str = "{letter}. {text}", between: str = "\n") -> str:
    """Options with their letters.

    Args:
        options: bare texts.
        form: one option, with places for `letter` and `text`.
        between: what stands between two of them.

    >>> lettered(("red", "blue"), "({letter}) {text}", " ")
    '(A) red (B) blue'
    """
    return between.join(
        form.format(letter=letter, text=text)
        for letter, text in zip(LETTERS, options, strict=False)
    )


def question_block(item: Item) -> str:
    """The question and its options, one to a line, unless its text holds them already."""
    if not item.options or split_inline(item.question).options == item.options:
        return item.question
    return f"{item.question}\n{lettered(item.options)}"


def one_letter(item: Item) -> str:
    """The letters of an item's options as a choice: "A, B, C or D"."""
    letters = LETTERS[: len(item.options)]
    return f"{', '.join(letters[:-1])} or {letters[-1]}"


def single_choice(item: Item, *, subject: str = "video") -> str:
    """The authors' protocol for multiple choice: the best option, one capital letter, no more.

    The question is as their own file words it, options included, where that is known.

    Args:
        item: the question.
        subject: what it is about, in words.
    """
    return (
        f"This is a multiple-choice question about the given {subject}. "
        "Choose the one option that answers it best.\n"
        f"Question: {item.worded or question_block(item)}\n"
        "Your whole answer must be one capital letter, without any other word."
    )


def letter_only(item: Item) -> str:
    """The question, its options, and the request for a letter."""
    return f"{question_block(item)}\nAnswer with the letter of the right option only."


def reasoned(item: Item) -> str:
    """The question with room for reasoning: thoughts and answer in the tags of training."""
    return (
        f"{question_block(item)}\n"
        "Think about the question first and write your reasoning between <think> and </think>. "
        f"Then write {_ANSWERS[item.answer_kind]} between <answer> and </answer>."
    )


def media_first(item: Item, text: str) -> Content:
    """All media in their order, then the text."""
    return (*item.media, text)


def worded_by_style(
    official: Callable[[Item], str], authors: Callable[[Item], str]
) -> Callable[[Item, PromptStyle], Content]:
    """How a benchmark asks that shows all media first and words the question by style.

    Args:
        official: its own words.
        authors: those of AVATAR's authors.
    """
    wordings = {"official": official, "authors": authors, "think": reasoned}
    return lambda item, style: media_first(item, wordings[style](item))
