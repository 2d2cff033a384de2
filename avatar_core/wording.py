"""The text of a question: with lettered options, with a hint."""

from __future__ import annotations

import re
from collections.abc import Sequence

from avatar_core.choices import LETTERS
from avatar_core.types import Content, Sample


def question_text(sample: Sample) -> str:
    """The user's text of a sample: question, and lettered options unless it states all."""
    lines = [sample.question]
    if not states_all(sample.question, sample.options):
        lines += [
            f"{letter}. {text}" for letter, text in zip(LETTERS, sample.options, strict=False)
        ]
    return "\n".join(lines)


def sample_content(sample: Sample) -> Content:
    """The user turn of a sample: its media, then its text."""
    return (*sample.media, question_text(sample))


def with_hint(text: str, hint: str | None) -> str:
    r"""A text with a hint on a line of its own behind it; as it is without a hint.

    >>> with_hint("Which animal?", "Listen first.")
    'Which animal?\nHint: Listen first.'
    """
    return "\n".join(filter(None, (text, f"Hint: {hint}" if hint else None)))


def states_all(question: str, options: Sequence[str]) -> bool:
    """Whether a question names every option as whole words and in their order."""
    text, end = question.casefold(), 0
    for option in options:
        named = re.compile(rf"\b{re.escape(option.casefold())}\b").search(text, end)
        if named is None:
            return False
        end = named.end()
    return True
