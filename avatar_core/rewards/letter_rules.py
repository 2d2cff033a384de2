"""The rules that read an option letter from a text without tags: a stated letter or `None`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from avatar_core.rewards.enumerations import without_enumerations
from avatar_core.rewards.words import (
    CLAUSE_END,
    ENDS,
    STANDALONE,
    TEXT_ENDS,
    TEXT_STARTS,
    among_the_wrong,
    denied,
    is_phrase,
    one_of_several,
    plain,
    reads_as_word,
    ruled_out,
    set_aside,
)

_EDGE = " \t\r\n\f\v()[]{}.,:;*_\"'`"

_LEADING = re.compile(
    r"[\s*\"'`]*(?:[(\[](?P<bracketed>[A-Z])[)\]]"
    r"|(?P<bare>[A-Z])(?:\.(?![A-Z]\.)|[):,]|[ \t]*(?:[\r\n]|\Z)))"
)
_PHRASE = re.compile(
    r"\b(?:answer|option|choice)s?[\s*_\"'`]*(?:is\b|:)[\s:*_\"'`$(\[{]*", re.IGNORECASE
)
_FILLER = re.compile(
    r"(?:(?:the|correct|option|choice|letter|answer)\b[\s:*_\"'`$(\[{]*){0,4}", re.IGNORECASE
)
_BOXED = re.compile(r"\\boxed\{[\s({\[]*(?:\\[a-z]+(?![A-Za-z]))?[\s({\[]*")
_BOLD = re.compile(r"\*\*[\s(\[]*(?=[A-Z][\s)\].:]*\*\*)")
_LETTER = re.compile(rf"([A-Za-z]){ENDS}")
_BRACKETED = re.compile(r"[(\[]([A-Z])[)\]]")
_OR = re.compile(r",? or (?:(?:the|an?) )?")
_REACH = 60

Rule = Callable[[str, Sequence[str], Sequence[str]], "str | None"]


def bare(text: str, letters: Sequence[str], options: Sequence[str]) -> str | None:
    """The whole text is one valid letter of any case, or exactly one option's text."""
    trimmed = text.strip(_EDGE)
    if len(trimmed) == 1 and trimmed.isascii() and trimmed.upper() in letters:
        return trimmed.upper()
    whole = plain(text)
    return _only(
        letter for letter, option in zip(letters, options, strict=False) if plain(option) == whole
    )


def leading(text: str, letters: Sequence[str], options: Sequence[str]) -> str | None:
    """The text starts with `(X)`, or with a capital before `.`, `)`, `:`, `,` or a line end."""
    match = _LEADING.match(text)
    if match is None:
        return None
    letter = match["bracketed"] or match["bare"]
    return (
        letter if letter in letters and _is_meant(text, match.end(match.lastgroup or 0)) else None
    )


def concluding(text: str, letters: Sequence[str], options: Sequence[str]) -> str | None:
    r"""The last of "answer is X" (or option, choice, a colon), `\boxed{X}` and `**X**`."""
    found: list[tuple[int, str]] = []
    for match in _PHRASE.finditer(text):
        position = match.end()
        letter = _option_at(text, position, letters, options)
        if letter is None:
            filler = _FILLER.match(text, position)
            position = filler.end() if filler else position
            letter = _option_at(text, position, letters, options) or _letter_at(
                text, position, letters
            )
        if letter is not None:
            found.append((position, letter))
    for mark in (_BOXED, _BOLD):
        for match in mark.finditer(text):
            letter = _letter_at(text, match.end(), letters)
            if letter is not None and not ruled_out(text, match.start()):
                found.append((match.end(), letter))
    return max(found)[1] if found else None


def standing(text: str, letters: Sequence[str], options: Sequence[str]) -> str | None:
    """The last `(X)`, else the last capital that stands alone and is no article or pronoun."""
    for pattern in (_BRACKETED, STANDALONE):
        for match in reversed(list(pattern.finditer(text))):
            letter = match.group(1)
            if letter not in letters or ruled_out(text, match.start()):
                continue
            if not _is_meant(text, match.end()):
                continue
            if pattern is _BRACKETED or not (
                letter == "I" or reads_as_word(letter, text, match.end())
            ):
                return letter
    return None


def option_text(text: str, letters: Sequence[str], options: Sequence[str]) -> str | None:
    """The text contains exactly one of the option texts as whole words; no single letters.

    One that is denied or rejected wherever it occurs is not contained: "no dog", "dog is wrong".
    """
    whole = plain(text)
    return _only(
        letter
        for letter, option in zip(letters, options, strict=False)
        if is_phrase(plain(option))
        and any(
            not denied(whole, match.start()) and not set_aside(whole, match.end())
            for match in re.finditer(TEXT_STARTS + re.escape(plain(option)) + TEXT_ENDS, whole)
        )
    )


RULES: tuple[Rule, ...] = (bare, leading, concluding, standing, option_text)
"""In order: the first rule that finds a letter decides."""


def read_letter(text: str, letters: Sequence[str], options: Sequence[str]) -> str | None:
    """Apply `RULES` to a text without tags; a mere list of all options states none of them."""
    letter = bare(text, letters, options)
    if letter is not None:
        return letter
    text = without_enumerations(text, letters, options)
    for rule in RULES if text.strip() else ():
        letter = rule(text, letters, options)
        if letter is not None:
            return letter
    return None


def _only(found: Iterator[str]) -> str | None:
    """The single element, or `None` when there are none or several."""
    first = next(found, None)
    return first if next(found, None) is None else None


def _option_at(
    text: str, position: int, letters: Sequence[str], options: Sequence[str]
) -> str | None:
    """The longest option text that starts at `position` and is meant; `None` when two share it."""
    longest = max((len(option) for option in options), default=0)
    # Case-folding may lengthen a text up to threefold; white space runs are the reply's own affair.
    here = " ".join(text[position : position + 6 * longest + _REACH].split()).casefold()
    found = _texts_at(here, 0, letters, options)
    size = max((length for length, _ in found), default=0)
    if not size or set_aside(here, size):
        return None
    another = _OR.match(here, size)
    if another is not None and _texts_at(here, another.end(), letters, options):
        return None
    return _only(letter for length, letter in found if length == size)


def _texts_at(
    here: str, position: int, letters: Sequence[str], options: Sequence[str]
) -> list[tuple[int, str]]:
    """Length and letter of every option text that starts at `position` of a plain text."""
    return [
        (len(option), letter)
        for letter, option in zip(letters, map(plain, options), strict=False)
        if is_phrase(option) and re.compile(re.escape(option) + TEXT_ENDS).match(here, position)
    ]


def _is_meant(text: str, end: int) -> bool:
    """Whether what follows the letter that ends at `end` leaves it stated."""
    return not (set_aside(text, end) or one_of_several(text, end) or among_the_wrong(text, end))


def _letter_at(text: str, position: int, letters: Sequence[str]) -> str | None:
    """The valid letter at `position`; in lower case only when the clause ends behind it."""
    match = _LETTER.match(text, position)
    if match is None or match.group(1).upper() not in letters:
        return None
    if set_aside(text, match.end()) or one_of_several(text, match.end()):
        return None
    letter = match.group(1)
    if letter.islower():
        return letter.upper() if CLAUSE_END.match(text, match.end()) else None
    return None if reads_as_word(letter, text, match.end()) else letter
