"""The rules that read an option letter from a text without tags: a stated letter or `None`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

# A word character of a script that puts spaces between words: in "答案是B" the B stands alone.
_JOINED = r"[^\W\u2e80-\u9fff\uac00-\ud7af\uff00-\uffef]"
_BEFORE = rf"(?<!{_JOINED})(?<!{_JOINED}[-'’./&+])"
_AFTER = rf"(?!{_JOINED})(?![-'’/&+]{_JOINED})"
_TEXT_BEFORE = rf"{_BEFORE}(?<!\d[.,])"
_TEXT_AFTER = rf"{_AFTER}(?![.,]\d)"
_EDGE = " \t\r\n\f\v()[]{}.,:;*\"'`"

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
_BOXED = re.compile(r"\\boxed\{[\s({\[]*(?:\\[a-z]+)?[\s({\[]*")
_BOLD = re.compile(r"\*\*[\s(\[]*(?=[A-Z][\s)\].:]*\*\*)")
_LETTER = re.compile(rf"([A-Za-z]){_AFTER}")
_CLAUSE_END = re.compile(r"\s*(?:[.,;:)\]}*\"'`$]|\Z)|[ \t]*[\r\n]")
_BRACKETED = re.compile(r"[(\[]([A-Z])[)\]]")
_STANDALONE = re.compile(rf"{_BEFORE}([A-Z]){_AFTER}(?!\.{_JOINED})")
_NEXT_WORD = re.compile(r" +([a-z]+)")
_NEGATION = re.compile(
    r"\b(?:not|isn't|isn’t|nor|neither)\s+(?:(?:the|option|choice|answer)\s+)*[(\[*\"'`]*\Z",
    re.IGNORECASE,
)
# Words that never follow an article: before them a lone A names the option.
_NOT_AFTER_ARTICLE = frozenset(
    "and as because but from if in is or since was when where which while with".split()
)

Rule = Callable[[str, Sequence[str], Sequence[str]], "str | None"]


def bare(text: str, letters: Sequence[str], options: Sequence[str]) -> str | None:
    """The whole text is one valid letter of any case, or exactly one option's text."""
    trimmed = text.strip(_EDGE)
    if len(trimmed) == 1 and trimmed.isascii() and trimmed.upper() in letters:
        return trimmed.upper()
    plain = _plain(text)
    return _only(
        letter for letter, option in zip(letters, options, strict=False) if _plain(option) == plain
    )


def leading(text: str, letters: Sequence[str], options: Sequence[str]) -> str | None:
    """The text starts with `(X)`, or with a capital before `.`, `)`, `:`, `,` or a line end."""
    match = _LEADING.match(text)
    letter = (match["bracketed"] or match["bare"]) if match else None
    return letter if letter is not None and letter in letters else None


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
            if letter is not None and not _negated(text, match.start()):
                found.append((match.end(), letter))
    return max(found)[1] if found else None


def standing(text: str, letters: Sequence[str], options: Sequence[str]) -> str | None:
    """The last `(X)`, else the last capital that stands alone and is no article or pronoun."""
    for pattern in (_BRACKETED, _STANDALONE):
        for match in reversed(list(pattern.finditer(text))):
            letter = match.group(1)
            if letter not in letters or _negated(text, match.start()):
                continue
            if pattern is _BRACKETED or not (
                letter == "I" or _reads_as_word(letter, text, match.end())
            ):
                return letter
    return None


def option_text(text: str, letters: Sequence[str], options: Sequence[str]) -> str | None:
    """The text contains exactly one of the option texts as whole words; no single letters."""
    plain = _plain(text)
    return _only(
        letter
        for letter, option in zip(letters, options, strict=False)
        if _is_phrase(_plain(option))
        and re.search(_TEXT_BEFORE + re.escape(_plain(option)) + _TEXT_AFTER, plain)
    )


RULES: tuple[Rule, ...] = (bare, leading, concluding, standing, option_text)
"""In order: the first rule that finds a letter decides."""


def read_letter(text: str, letters: Sequence[str], options: Sequence[str]) -> str | None:
    """Apply `RULES` to a text without tags."""
    for rule in RULES:
        letter = rule(text, letters, options)
        if letter is not None:
            return letter
    return None


def _plain(text: str) -> str:
    """Option texts compare case-folded, with single spaces and without a final dot."""
    return " ".join(text.split()).casefold().removesuffix(".").strip()


def _is_phrase(plain: str) -> bool:
    """Whether an option text is more than a single letter, which any sentence could contain."""
    return len(plain) > 1 or plain.isdigit()


def _only(found: Iterator[str]) -> str | None:
    """The single element, or `None` when there are none or several."""
    first = next(found, None)
    return first if next(found, None) is None else None


def _option_at(
    text: str, position: int, letters: Sequence[str], options: Sequence[str]
) -> str | None:
    """The longest option text that starts at `position`; `None` when two options share it."""
    longest = max((len(option) for option in options), default=0)
    # Case-folding may lengthen a text up to threefold; white space runs are the reply's own affair.
    plain = " ".join(text[position : position + 3 * longest + 8].split()).casefold()
    matches = [
        (len(option), letter)
        for letter, option in zip(letters, map(_plain, options), strict=False)
        if _is_phrase(option) and re.match(re.escape(option) + _TEXT_AFTER, plain)
    ]
    size = max(matches)[0] if matches else 0
    return _only(letter for length, letter in matches if length == size)


def _letter_at(text: str, position: int, letters: Sequence[str]) -> str | None:
    """The valid letter at `position`; in lower case only when the clause ends behind it."""
    match = _LETTER.match(text, position)
    if match is None or match.group(1).upper() not in letters:
        return None
    letter = match.group(1)
    if letter.islower():
        return letter.upper() if _CLAUSE_END.match(text, match.end()) else None
    return None if _reads_as_word(letter, text, match.end()) else letter


def _reads_as_word(letter: str, text: str, end: int) -> bool:
    """Whether a capital that ends at `end` goes on like the article A or the pronoun I."""
    following = _NEXT_WORD.match(text, end)
    if following is None:
        return False
    return letter == "I" or (letter == "A" and following.group(1) not in _NOT_AFTER_ARTICLE)


def _negated(text: str, start: int) -> bool:
    """Whether the letter at `start` is named only to be ruled out."""
    return _NEGATION.search(text[max(0, start - 60) : start]) is not None
