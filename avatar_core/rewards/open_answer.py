"""Whether a short free answer is right without a judge: equal texts, or MMMU's looser rule."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from avatar_core.rewards.numerals import all_numbers, first_number
from avatar_core.rewards.words import ENDS, STARTS

_EDGE = " \t\r\n\f\v()[]{}.,:;!?*_$\"'`\\。，"
_ARTICLE = re.compile(r"(?:the|an?)\s+")
_LEAD = re.compile(r".*\banswer[\s*_\"'`]*(?:is\b|:)", re.IGNORECASE | re.DOTALL)
_BOXED = re.compile(r"\\boxed\{(?:\\[a-z]+\{)?([^{}]*)\}")
_FIGURES = re.compile(r"[-−]?[0-9][0-9,.]*")
_SENTENCE_END = re.compile(r"\.\s+(?=[A-Z])|\n+")
_CUES = re.compile(
    r"(?:\b(?:is|are|could be|so|thus|therefore|final|answer|result)\b|=)\s*:?", re.IGNORECASE
)
_DECIMALS = 2
_SHORT = 3


def same_text(answer: str, golds: Iterable[str]) -> bool:
    """Whether an answer is one of the right texts after normalisation.

    Case, white space, punctuation at the ends, a leading article, compatible characters (CO₂ and
    CO2) and a lead such as "The answer is" make no difference, and numbers compare by value.

    Args:
        answer: a text without reasoning and tags.
        golds: the right texts.
    """
    lead = _LEAD.match(answer)
    said = {_normal(answer), _normal(answer[lead.end() :]) if lead else ""} - {""}
    return any(_normal(gold) in said for gold in golds)


def mmmu_agrees(answer: str, golds: Iterable[str]) -> bool:
    """Whether an answer to an open question is right by the rule of MMMU.

    Of each sentence the part behind its last cue ("is", "so", "answer", "=", ...) is looked at, or
    the whole answer when no sentence has one. Right is an answer one of whose parts contains a
    right text, or a number equal to a right one at two decimals.

    MMMU takes any occurrence of a right text of two characters or more, so that "no" is right for
    "I do not know". Here a right text that is a single word has to begin a word of the answer, and
    one of up to three characters has to be a word of it.

    Args:
        answer: a text without reasoning and tags.
        golds: the right texts.
    """
    parts = _key_parts(answer)
    said = [_folded(part) for part in parts]
    numbers = {round(value, _DECIMALS) for part in parts for value in all_numbers(part)}
    for gold in golds:
        value = _number(gold)
        if value is not None and round(value, _DECIMALS) in numbers:
            return True
        wanted = _folded(gold).strip(_EDGE)
        if value is None and wanted and any(_holds(part, wanted) for part in said):
            return True
    return False


def _key_parts(answer: str) -> list[str]:
    """What stands behind the last cue of each sentence; the whole answer when there is no cue."""
    parts = []
    for sentence in _SENTENCE_END.split(answer.strip()):
        cues = list(_CUES.finditer(sentence))
        tail = sentence[cues[-1].end() :] if cues else ""
        if tail.strip(_EDGE):
            parts.append(tail)
    return parts or [answer]


def _holds(part: str, wanted: str) -> bool:
    """Whether a part contains a right text."""
    if len(wanted) > 1 and re.fullmatch(r"\w+", wanted) is None:
        return wanted in part
    ends = ENDS if len(wanted) <= _SHORT else ""
    return re.search(f"{STARTS}{re.escape(wanted)}{ends}", part) is not None


def _normal(text: str) -> str:
    """A text as `same_text` compares it."""
    boxed = _BOXED.search(text)
    folded = _folded(boxed.group(1) if boxed else text).strip(_EDGE)
    value = _number(folded)
    return _ARTICLE.sub("", folded, count=1) if value is None else f"{value:.12g}"


def _number(text: str) -> float | None:
    """Value of a text that is nothing but figures."""
    figures = text.strip(_EDGE)
    return first_number(figures) if _FIGURES.fullmatch(figures) else None


def _folded(text: str) -> str:
    """Case-folded compatible characters with single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
