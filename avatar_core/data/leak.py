"""Whether a hint gives the answer away.

A hint is refused rather than let through when in doubt: naming the right option among all of them
counts as a leak, since a policy would learn to repeat what the hint names.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from avatar_core.choices import LETTERS
from avatar_core.types import Sample

_NUMBER_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen twenty"
).split()
_FIGURES = re.compile(r"(?<![\w.,])[-−]?\d+(?:,\d{3})*(?:\.\d+)?(?![\w])")
_UNIT_WORDS = 2
_WORD = re.compile(r"[^\W_]+")
_ARTICLES = frozenset({"a", "an", "the"})
_WORDS_THAT_ARE_LETTERS = frozenset("AI")
_NAMED = r"\b(?:option|choice|letter)\b[\s:=\-\"'(\[*]*"
_ANNOUNCED = r"\b(?:answer|choose|pick|select|is|be)\b[\s:=\-\"'(\[*]*"


def leaks(hint: str, sample: Sample) -> bool:
    """Whether a hint contains the reference answer of a sample.

    Case, punctuation and spacing do not matter, word boundaries do. A number is found in figures
    or, up to twenty, in words. A multiple-choice answer is found as its letter where it can only be
    an option ("option b", "(B)", a lone capital), or as the text of its option; a localisation
    answer when both sides of one of its pairs are named.

    Args:
        hint: what would be shown to the policy.
        sample: with solution and options.
    """
    hint = unicodedata.normalize("NFKC", hint)
    if sample.problem_type == "localisation":
        return any(all(_says(hint, side) for side in pair) for pair in _pairs(sample.solution))
    if sample.problem_type != "multiple choice":
        return _says(hint, sample.solution)
    place = LETTERS.find(sample.solution) if len(sample.solution) == 1 else -1
    if place < 0:
        return _says(hint, sample.solution)
    if _states_letter(hint, sample.solution):
        return True
    return place < len(sample.options) and _says(hint, sample.options[place])


def _says(hint: str, answer: str) -> bool:
    """Whether a text holds an answer as whole words, or its number in any notation."""
    value = _value(answer)
    if value is not None:
        return value in _values(hint)
    words = _words(answer)
    if len(words) > 1 and words[0] in _ARTICLES:
        words = words[1:]
    if not words:
        return answer.strip().casefold() in hint.casefold()
    return f" {' '.join(words)} " in f" {' '.join(_words(hint))} "


def _states_letter(hint: str, letter: str) -> bool:
    """Whether a text names the letter of an option, and not a word of one letter."""
    forms = [
        rf"[(\[]\s*{letter}\s*[)\]]",
        rf"(?<!\w){letter}\s*[):]",
        rf"{_NAMED}{letter}\b",
        # "the answer is a." names the option, "the answer is a colour" does not.
        rf"{_ANNOUNCED}{letter}(?=\s*(?:[.,;:!?)\]\"'*]|$))",
        rf"{_ANNOUNCED}(?-i:{letter})\b",
    ]
    if letter not in _WORDS_THAT_ARE_LETTERS:
        forms.append(rf"(?<![\w'’])(?-i:{letter})(?![\w'’])")
    return re.search("|".join(forms), hint, re.IGNORECASE) is not None


def _pairs(solution: str) -> Iterable[tuple[str, str]]:
    """The sides of every `position: object` pair of a solution."""
    for piece in re.split(r"[,;\n]", solution):
        position, colon, name = piece.partition(":")
        if colon:
            yield position, name


def _value(answer: str) -> float | None:
    """The number that an answer is, with or without a unit behind it; `None` for other answers."""
    text = unicodedata.normalize("NFKC", answer).strip().casefold()
    if text in _NUMBER_WORDS:
        return float(_NUMBER_WORDS.index(text))
    found = _FIGURES.match(text)
    if found is None or len(_words(text[found.end() :])) > _UNIT_WORDS:
        return None
    return _number(found[0])


def _values(text: str) -> set[float]:
    """Every number of a text."""
    figures = {_number(found) for found in _FIGURES.findall(text)}
    named = {float(_NUMBER_WORDS.index(word)) for word in _words(text) if word in _NUMBER_WORDS}
    return figures | named


def _number(figures: str) -> float:
    return float(figures.replace(",", "").replace("−", "-"))


def _words(text: str) -> list[str]:
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
