"""Options of a question and the letter of the right one, in the many ways benchmarks write them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from avatar_core.benchmarks.annotations import Row
from avatar_core.choices import LETTERS, unlettered
from avatar_core.errors import DataError

_LETTER = re.compile(r"[(\[]?\s*([A-Za-z])\s*[)\].:,]*")
_LINES = (
    re.compile(r"\s*[(\[]([A-Z])[)\]]\s*(.*)"),
    re.compile(r"\s*([A-Z])[.:)]\s+(.*)"),
)


class Inline(NamedTuple):
    """A question whose text held its options."""

    question: str
    """The text in front of them."""
    options: tuple[str, ...]
    """Their texts in letter order; empty when there are none."""


def bare_options(given: Sequence[str]) -> tuple[str, ...]:
    """Option texts without letters; they stay unless every option carries its own."""
    return unlettered(given) or tuple(option.strip() for option in given)


def option_letter(answer: object, options: Sequence[str], place: str) -> str:
    """The letter of the right option, whichever way it is named.

    A capital letter on its own comes before an option of that text; every other text is one of the
    options first.

    Args:
        answer: a letter ("B", "(B)", "b."), an index from 0, or the text of an option.
        options: bare option texts.
        place: file and row, for the message.

    Raises:
        DataError: it is none of the options.
    """
    letters = _letters(options, place)
    if isinstance(answer, int) and not isinstance(answer, bool) and 0 <= answer < len(options):
        return letters[answer]
    if isinstance(answer, str):
        stated = answer.strip()
        if len(stated) == 1 and stated in letters:
            return stated
        if stated in (bare := [option.strip() for option in options]):
            return letters[bare.index(stated)]
        match = _LETTER.fullmatch(stated)
        if match and match[1].upper() in letters:
            return match[1].upper()
        if (found := _place_of(stated, options)) is not None:
            return letters[found]
    raise _none_of(answer, options, place)


def text_letter(answer: object, options: Sequence[str], place: str) -> str:
    """The letter of the option whose text the answer is, the first of several.

    For benchmarks whose gold is always a text, which may be a single letter itself.

    Args:
        answer: text of an option; case and spaces count only to tell two options apart.
        options: bare option texts.
        place: file and row, for the message.

    Raises:
        DataError: it is none of the options.
    """
    letters = _letters(options, place)
    found = _place_of(answer, options) if isinstance(answer, str) else None
    if found is None:
        raise _none_of(answer, options, place)
    return letters[found]


def split_inline(question: str) -> Inline:
    r"""The options that a question's text ends with, one to a line: "(A) x" or "A. x".

    A line without the next letter belongs to the option above it.

    >>> split_inline("Who wins?\n(A) Red\n(B) Blue")
    Inline(question='Who wins?', options=('Red', 'Blue'))
    """
    lines = question.split("\n")
    for form in _LINES:
        matches = [form.fullmatch(line) for line in lines]
        letters = [match[1] if match else "" for match in matches]
        second = max((n for n, letter in enumerate(letters) if letter == "B"), default=0)
        first = max((n for n in range(second) if letters[n] == "A"), default=None)
        if first is None:
            continue
        options: list[list[str]] = []
        for line, match in zip(lines[first:], matches[first:], strict=True):
            if match and match[1] == LETTERS[len(options) : len(options) + 1]:
                options.append([match[2]])
            else:
                options[-1].append(line)
        texts = tuple("\n".join(option).strip() for option in options)
        return Inline("\n".join(lines[:first]).strip(), texts)
    return Inline(question, ())


def _letters(options: Sequence[str], place: str) -> str:
    if not options:
        raise DataError(f"{place}: no options were found in the row or its question; mend the row")
    if not 2 <= len(options) <= len(LETTERS):
        raise DataError(f"{place}: has {len(options)} options; give 2 to {len(LETTERS)}")
    return LETTERS[: len(options)]


def _place_of(answer: str, options: Sequence[str]) -> int | None:
    for form in (str.strip, _folded):
        texts = [form(option) for option in options]
        if form(answer) in texts:
            return texts.index(form(answer))
    return None


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _none_of(answer: object, options: Sequence[str], place: str) -> DataError:
    return DataError(
        f"{place}: answer {str(answer)[:60]!r} is none of the {len(options)} options; mend the row"
    )


def options_by_letter(row: Row, key: str) -> tuple[str, ...]:
    """Options that a row gives as an object of texts by letter, in letter order.

    Options without a text at the end count as absent: a table gives every row the same letters.

    Returns:
        The texts; empty when the object is missing or none of them has a text.

    Raises:
        DataError: it is not an object of texts, or its letters are not A, B, C and so on.
    """
    given = row.fields.get(key)
    if given is None:
        return ()
    plain = str | int | float | None
    if not isinstance(given, dict) or not all(isinstance(v, plain) for v in given.values()):
        raise DataError(f"{row.place}: {key} must be an object of texts by letter; mend the row")
    texts = {
        letter.strip(): str(value).strip() for letter, value in given.items() if value is not None
    }
    found = {letter: value for letter, value in texts.items() if value}
    letters = LETTERS[: len(found)]
    if sorted(found) != list(letters):
        raise DataError(
            f"{row.place}: {key} has the letters {', '.join(sorted(found))[:60]}; "
            f"give A to {letters[-1:] or 'Z'} without a gap"
        )
    return tuple(found[letter] for letter in letters)
