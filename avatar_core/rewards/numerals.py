"""Reading the last stated number of a text, in figures or in words."""

from __future__ import annotations

import math
import re

_UNITS = "zero one two three four five six seven eight nine".split()
_TEENS = ("ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen").split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_WORDS = {word: value for value, word in enumerate(_UNITS + _TEENS)} | {
    word: 10 * value for value, word in enumerate(_TENS, start=2)
}
_NUMBER = re.compile(
    rf"""
    (?P<figures>
        (?<![A-Za-z_0-9]) (?<![A-Za-z]-)
        (?: [0-9]+ (?:[.,:/][0-9]+)* | \.[0-9]+ ) (?:[eE][-+]?[0-9]+)?
        (?![.,:/]?[0-9]) (?!(?:st|nd|rd|th)\b)
    ) | (?<!\w) (?<!\w[-'’]) (?P<words>
        (?:{"|".join(_TENS)}) (?:[-\s](?:{"|".join(_UNITS[1:])}))? | {"|".join(_UNITS + _TEENS)}
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


def last_number(text: str) -> float | None:
    """Value of the last number in a text, or `None` when there is none or it is not plain.

    Figures may carry a sign, thousands separated by commas, decimals, an exponent, a unit or a
    percent sign (45 % is 45). Words go from zero to ninety-nine. Ordinals, numbers inside names
    ("B12", "COVID-19") and "one" as a pronoun or beside other numbers are no numbers. A last number
    that is a ratio, a clock time, a decimal comma or part of "two hundred" makes the text
    unreadable rather than half read.
    """
    found = list(_NUMBER.finditer(text))
    if len(found) > 1:
        found = [match for match in found if match.group().lower() != "one"] or found[-1:]
    if not found:
        return None
    match = found[-1]
    before = text[max(0, match.start() - 60) : match.start()]
    if _SCALE_BEFORE.search(before) or _SCALE_AFTER.match(text, match.end()):
        return None
    if match.group().lower() == "one" and _PRONOUN.search(before):
        return None
    value = _from_words(match["words"]) if match["words"] else _from_figures(match["figures"])
    return -value if value and _MINUS.search(before) else value


def _from_words(words: str) -> float:
    """Value of a number word or of a compound such as twenty-one."""
    return float(sum(_WORDS[word] for word in re.split(r"[-\s]", words.lower())))


def _from_figures(figures: str) -> float | None:
    """Value of plain figures; `None` for ratios, times, doubtful commas and float overflow."""
    if not _PLAIN.fullmatch(figures.lower()):
        return None
    value = float(figures.replace(",", ""))
    return value if math.isfinite(value) else None
