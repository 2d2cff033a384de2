"""Reading a set of option letters from a text without tags, and the agreement of two sets."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from avatar_core.rewards.enumerations import without_enumerations
from avatar_core.rewards.letter_rules import leading
from avatar_core.rewards.words import (
    CLAUSE_END,
    ENDS,
    NOT_AN_INITIAL,
    STANDALONE,
    TEXT_ENDS,
    TEXT_STARTS,
    denied,
    is_phrase,
    plain,
    reads_as_word,
    ruled_out,
    set_aside,
)

_APART = re.compile(r"[\s.,;:/&+|()\[\]{}*_\"'`、，；。]+|\b(?:and|or)\b|[和与及或]")
_ITEM = re.compile(rf"[\s(\[{{*_\"'`]{{0,8}}([A-Za-z]){ENDS}{NOT_AN_INITIAL}[)\]}}.:*_\"'`]{{0,8}}")
_LIST_MARK = r"(?:[-•]|\(?[0-9]{1,2}[.)])\s{1,8}"
_NEXT = re.compile(
    rf"\s{{0,8}}[,;|、，；]\s{{0,8}}(?:(?:and|or)\s{{1,8}})?"
    rf"|\s{{1,8}}(?:(?:and|or|&)\s{{1,8}}|{_LIST_MARK})?|\s{{0,8}}[和与及或]\s{{0,8}}|(?=[(\[])"
)
_CONCLUSION = re.compile(
    r"(?:\b(?:answer|option|choice)s?[\s*_\"'`]*(?:(?:is|are)\b|:)|\\boxed\{(?:\\[a-z]+(?![a-z]))?)"
    r"[\s:*_\"'`$(\[{]*(?:(?:the|correct|options?|choices?|letters?|answers?)\b[\s:*_\"'`$(\[{]*){0,4}",
    re.IGNORECASE,
)
_FIRST_MARK = re.compile(rf"\s{{0,8}}{_LIST_MARK}")


class _Run(NamedTuple):
    """Letters that follow one another as a list."""

    letters: frozenset[str]
    end: int
    lower: bool


def read_letter_set(
    text: str, letters: Sequence[str], options: Sequence[str] = ()
) -> frozenset[str] | None:
    r"""The option letters that a text states, never characters of its words.

    In order: the whole text is a list of letters of any case; a list opens the text; the last list
    behind "answer is", "options are", a colon or `\boxed{`; the last list of capitals; the option
    texts that occur and are not denied. A list may carry the options' texts ("B. Worry, D. Doubt").
    A reply that only repeats all options states none, unless it is their bare letters.

    Args:
        text: a text without tags.
        letters: valid capital letters; others are ignored.
        options: option texts in the order of `letters`.

    Returns:
        The letters, or `None` when the text states none.
    """
    whole = _whole(text, letters)
    if whole is not None:
        return whole
    text = without_enumerations(text, letters, options)
    texts = dict(zip(letters, map(plain, options), strict=False))
    return (
        _opening(text, letters, texts)
        or _concluding(text, letters, texts)
        or _standing(text, letters, texts)
        or _named(text, texts)
    )


def f1(answer: Collection[object], gold: Collection[object]) -> float:
    """Harmonic mean of precision and recall of a set, in [0, 1]; 0 when nothing is shared."""
    shared = len(set(answer) & set(gold))
    return 2 * shared / (len(set(answer)) + len(set(gold))) if shared else 0.0


def _whole(text: str, letters: Sequence[str]) -> frozenset[str] | None:
    """The text holds nothing but letters and what separates them."""
    pieces = [piece for piece in _APART.split(text) if piece]
    if not all(len(piece) == 1 and piece.isascii() and piece.isalpha() for piece in pieces):
        return None
    return frozenset(piece.upper() for piece in pieces) & frozenset(letters) or None


def _opening(text: str, letters: Sequence[str], texts: Mapping[str, str]) -> frozenset[str] | None:
    """A list in front of a clause end, or one letter marked as a label."""
    mark = _FIRST_MARK.match(text)
    run = _run_at(text, mark.end() if mark else 0, letters, texts)
    if run is None or run.lower:
        return None
    if len(run.letters) == 1:
        return run.letters if leading(text, letters, ()) in run.letters else None
    return run.letters if _ends_clause(text, run.end) else None


def _concluding(
    text: str, letters: Sequence[str], texts: Mapping[str, str]
) -> frozenset[str] | None:
    """The last list behind a concluding phrase."""
    for match in reversed(list(_CONCLUSION.finditer(text))):
        run = _run_at(text, match.end(), letters, texts)
        if run is None or set_aside(text, run.end):
            continue
        if not run.lower or _ends_clause(text, run.end):
            return run.letters
    return None


def _standing(text: str, letters: Sequence[str], texts: Mapping[str, str]) -> frozenset[str] | None:
    """The last list of capitals that is not ruled out or rejected, and no article or pronoun."""
    found, end = None, 0
    for match in STANDALONE.finditer(text):
        if match.start() < end:
            continue
        run = _run_at(text, match.start(), letters, texts)
        if run is None or run.letters == {"I"} or ruled_out(text, match.start()):
            continue
        end = run.end
        if not set_aside(text, end):
            found = run.letters
    return found


def _named(text: str, texts: Mapping[str, str]) -> frozenset[str] | None:
    """Letters of the option texts that occur as whole words and are not denied."""
    rest = plain(text)
    found = set()
    # A longer text first: "joy" within "joy and relief" is not named.
    for letter, option in sorted(texts.items(), key=lambda pair: -len(pair[1])):
        if not is_phrase(option):
            continue
        pattern = re.compile(TEXT_STARTS + re.escape(option) + TEXT_ENDS)
        matches = list(pattern.finditer(rest))
        if any(not denied(rest, m.start()) and not set_aside(rest, m.end()) for m in matches):
            found.add(letter)
        rest = pattern.sub("·", rest)
    return frozenset(found) or None


def _run_at(
    text: str, position: int, letters: Sequence[str], texts: Mapping[str, str]
) -> _Run | None:
    """The list of valid letters of one case that begins at a position."""
    found: list[str] = []
    end = position
    while match := _ITEM.match(text, position):
        letter = match[1].upper()
        if letter not in letters or (found and match[1].islower() != found[0].islower()):
            break
        after = _behind(text, match.end(), texts.get(letter, ""))
        if after is None and match[1].isupper() and reads_as_word(letter, text, match.end(1)):
            break
        found.append(match[1])
        end = match.end() if after is None else after
        following = _NEXT.match(text, end)
        if following is None:
            break
        position = _behind_any(text, following.end(), texts)
    if not found:
        return None
    return _Run(frozenset(map(str.upper, found)), end, lower=found[0].islower())


def _behind(text: str, position: int, option: str) -> int | None:
    """Where an option's text and the marks around it end; `None` when it is not there."""
    if not option:
        return None
    words = r"\s+".join(map(re.escape, option.split()))
    around = r"[\s(\[:*\"'–-]{0,8}"
    closing = r"[.)\]*\"']{0,8}"
    pattern = re.compile(rf"{around}{words}{TEXT_ENDS}{closing}", re.IGNORECASE)
    match = pattern.match(text, position)
    return match.end() if match else None


def _behind_any(text: str, position: int, texts: Mapping[str, str]) -> int:
    """Where the option's text ends that stands in front of its bracketed letter, as "joy (C)"."""
    for letter, option in texts.items():
        after = _behind(text, position, option)
        if after is not None and re.compile(rf"\s{{0,8}}[(\[]{letter}[)\]]").match(text, after):
            return after
    return position


def _ends_clause(text: str, end: int) -> bool:
    """Whether a list that ends at `end` is followed by no further words of its clause."""
    return text[end - 1] in ".:)]\"'`*" or CLAUSE_END.match(text, end) is not None
