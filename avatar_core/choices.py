"""Options of a multiple-choice row, and the letter of the right one."""

from __future__ import annotations

import re
import string
from collections.abc import Sequence

from avatar_core.errors import DataError

LETTERS = string.ascii_uppercase
"""Letters of options in order; a question has at most 26."""
_LETTERED = re.compile(r"\s*[(\[]?([A-Z])[)\].:,]+\s*(.*)", re.DOTALL)
_BARE = re.compile(r"\s*[(\[]?([A-Z])[)\].:]*\s*")


def option_texts(given: object) -> tuple[str, ...]:
    """Option texts without letters, in letter order.

    Letters are taken off only when every option carries the one it would get: "A. red", "B. blue".

    Args:
        given: the row's `options`; `None` and an empty list are no options.

    Raises:
        DataError: it is not a list of 2 to 26 different texts.
    """
    if given is None or given == []:
        return ()
    if not isinstance(given, list) or not all(isinstance(o, str) and o.strip() for o in given):
        raise DataError("options must be a list of texts that are not empty")
    if not 2 <= len(given) <= len(LETTERS):
        raise DataError(f"{len(given)} options are given; give 2 to {len(LETTERS)}")
    texts = unlettered(given) or tuple(option.strip() for option in given)
    if len({_plain(text) for text in texts}) < len(texts):
        raise DataError("two options have the same text; make them differ")
    return texts


def gold_letter(solution: str, options: Sequence[str]) -> str:
    """The letter of the right option.

    Args:
        solution: a letter ("B", "(B)"), an option's text, or both ("B. blue").
        options: option texts; without them, when the question states them, only a letter will do.

    Raises:
        DataError: it is none of the options, or can be read as two of them.
    """
    letters = LETTERS[: len(options)] if options else LETTERS
    found = {
        letter
        for letter, text in zip(LETTERS, options, strict=False)
        if _plain(text) == _plain(solution)
    }
    if bare := _BARE.fullmatch(solution):
        found.add(bare[1])
    elif (both := _LETTERED.fullmatch(solution)) and (
        not options or _plain(both[2]) == _plain(_at(options, both[1]))
    ):
        found.add(both[1])
    if len(found) == 1 and found <= set(letters):
        return found.pop()
    if len(found) > 1:
        raise DataError(
            f"solution {solution!r} is the letter of one option and the text of another"
        )
    raise DataError(
        f"solution {solution[:60]!r} is none of the options; give a letter from A to {letters[-1]}"
        + (" or the text of an option" if options else "")
    )


def unlettered(options: Sequence[str]) -> tuple[str, ...] | None:
    """The texts behind the letters, when every option carries its own."""
    matches = [_LETTERED.fullmatch(option) for option in options]
    texts = tuple(
        match[2].strip()
        for match, letter in zip(matches, LETTERS, strict=False)
        if match and match[1] == letter and match[2].strip()
    )
    return texts if len(texts) == len(options) else None


def _at(options: Sequence[str], letter: str) -> str:
    place = LETTERS.index(letter)
    return options[place] if place < len(options) else ""


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()
