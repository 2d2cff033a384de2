"""Reading the numbers of a text, in figures or in words: its first, its last, or all of them."""

from __future__ import annotations

import math
import re

_UNITS = "zero one two three four five six seven eight nine".split()
_TEENS = ("ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen").split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_WORDS = {word: value for value, word in enumerate(_UNITS + _TEENS)} | {
    word: 10 * value for value, word in enumerate(_TENS, start=2)
}
_BELOW_HUNDRED = (
    rf"(?:{'|'.join(_TENS)})(?:[-\s](?:{'|'.join(_UNITS[1:])}))?|{'|'.join(_UNITS + _TEENS)}"
)
_NUMBER = re.compile(
    rf"""
    (?P<figures>
        (?<![A-Za-z_0-9]) (?<![A-Za-z]-) (?<![0-9][.,:/])
        (?: [0-9]+ (?:[.,:/][0-9]+)* | \.[0-9]+ ) (?:[eE][-+]?[0-9]+)?
        (?![.,:/]?[0-9]) (?!(?:st|nd|rd|th)\b)
    ) | (?<!\w) (?<!\w[-'’]) (?P<words>
        (?: (?P<hundreds>a|{"|".join(_UNITS[1:])}) [-\s]hundred
            (?: [-\s](?:and\s)? (?P<rest>{_BELOW_HUNDRED}) )?
        ) | (?P<below>{_BELOW_HUNDRED})
    ) (?!\w) (?![-'’]\w)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_PLAIN = re.compile(r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]*)(?:\.[0-9]+)?(?:e[-+]?[0-9]+)?")
_SCALE = r"(?:dozens?|hundred|thousand|million|billion)s?\b"
_SCALE_BEFORE = re.compile(rf"\b{_SCALE}(?:\s+and)?[\s-]+\Z", re.IGNORECASE)
_SCALE_AFTER = re.compile(rf"[\s-]*{_SCALE}", re.IGNORECASE)
_MINUS = re.compile(r"(?:(?<![\w)\]])[-−]|\b(?:minus|negative)\s+)\Z", re.IGNORECASE)
_PRONOUN = re.compile(
    r"\b(?:the|this|that|which|each|every|any|no|another|an?)\s+(?:\w+\s+)?\Z", re.IGNORECASE
)
_PRONOUN_GOES_ON = re.compile(
    r"\s+(?:of|can|could|may|might|must|should|would|hears|sees|by\s+one)\b", re.IGNORECASE
)
_CLOCK = re.compile(r"[0-9]{1,2}(?::[0-9]{2}){1,2}(?:\.[0-9]+)?")
_REACH = 60


def last_number(text: str) -> float | None:
    """Value of the last number in a text, or `None` when there is none or it is not plain.

    Figures may carry a sign, thousands separated by commas, decimals, an exponent, a unit or a
    percent sign (45 % is 45). Words go from zero to "nine hundred and ninety-nine". Ordinals,
    numbers inside names ("B12", "COVID-19") and "one" as a pronoun or beside other numbers are no
    numbers. A last number that is a ratio, a clock time, a decimal comma or part of "two thousand"
    makes the text unreadable rather than half read.
    """
    found = list(_NUMBER.finditer(text))
    if len(found) > 1:
        found = [match for match in found if match.group().lower() != "one"] or found[-1:]
    if not found or _is_pronoun(text, found[-1]):
        return None
    return _value(text, found[-1])


def first_number(text: str) -> float | None:
    """Value of the first number in a text, or `None` when there is none or it is not plain.

    Numbers are those of `last_number`, but "one" beside other numbers is one of them unless it
    stands for a thing ("the one", "one of"), and clock times are passed over.
    """
    for match in _NUMBER.finditer(text):
        if not _is_pronoun(text, match) and not _CLOCK.fullmatch(match.group()):
            return _value(text, match)
    return None


def mentions_number(text: str) -> bool:
    """Whether a text holds a figure or a number word, readable as a number or not.

    >>> [mentions_number(text) for text in ("3/4", "dozens", "the red one", "many")]
    [True, True, False, False]
    """
    if re.search(r"[0-9]", text) or re.search(rf"\b{_SCALE}", text, re.IGNORECASE):
        return True
    return any(not _is_pronoun(text, match) for match in _NUMBER.finditer(text))


def all_numbers(text: str) -> list[float]:
    """Values of all plain numbers in a text, in order; what is not plain is left out."""
    values = [
        _value(text, match) for match in _NUMBER.finditer(text) if not _is_pronoun(text, match)
    ]
    return [value for value in values if value is not None]


def _is_pronoun(text: str, match: re.Match[str]) -> bool:
    """Whether a match is "one" in the place of a name."""
    if match.group().lower() != "one":
        return False
    before = text[max(0, match.start() - _REACH) : match.start()]
    return bool(_PRONOUN.search(before) or _PRONOUN_GOES_ON.match(text, match.end()))


def _value(text: str, match: re.Match[str]) -> float | None:
    """Value of a number with its sign; `None` when it is part of a larger one or not plain."""
    before = text[max(0, match.start() - _REACH) : match.start()]
    if _SCALE_BEFORE.search(before) or _SCALE_AFTER.match(text, match.end()):
        return None
    value = _from_figures(match["figures"]) if match["figures"] else _from_words(match)
    return -value if value and _MINUS.search(before) else value


def _from_words(match: re.Match[str]) -> float:
    """Value of number words such as "twenty-one" or "two hundred and five"."""
    hundreds = match["hundreds"]
    below = match["rest"] if hundreds else match["below"]
    value = sum(_WORDS[word] for word in re.split(r"[-\s]", (below or "zero").lower()))
    # "a hundred" is one hundred.
    return float(value + 100 * _WORDS.get((hundreds or "zero").lower(), 1))


def _from_figures(figures: str) -> float | None:
    """Value of plain figures; `None` for ratios, times, doubtful commas and float overflow."""
    if not _PLAIN.fullmatch(figures.lower()):
        return None
    value = float(figures.replace(",", ""))
    return value if math.isfinite(value) else None
