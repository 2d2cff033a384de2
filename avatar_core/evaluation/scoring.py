"""What a reply to a question of a benchmark states, and how right that is.

Every kind of answer is read in the same places: the content of the last answer tag, then what
surrounds it behind the reasoning, unless the tag holds a number where one is asked for. A reasoning
that never ended is read as a whole when the reply ended by itself, and flagged; of one cut at the
length limit only an answer tag is read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

from avatar_core.benchmarks.item import AnswerKind, Item
from avatar_core.benchmarks.relative_accuracy import mean_relative_accuracy
from avatar_core.evaluation.answers import gold_text, option_text, stated_answer
from avatar_core.evaluation.clue_scoring import score_clue
from avatar_core.rewards import REWARDS
from avatar_core.rewards.answer import read_answer, split_completion
from avatar_core.rewards.letter_rules import read_letter
from avatar_core.rewards.letter_sets import f1, read_letter_set
from avatar_core.rewards.letters import offered_letters
from avatar_core.rewards.numerals import first_number, mentions_number
from avatar_core.rewards.open_answer import mmmu_agrees, same_text
from avatar_core.rewards.whole_number import read_whole_number
from avatar_core.rewards.yes_no import read_yes_no
from avatar_core.types import Sample

_BETWEEN = "; "
_NUMERIC = ("count", "number")


class Verdict(NamedTuple):
    """What a reply states and what it is worth."""

    prediction: str | None
    """The stated answer as a person says it; `None` when none is stated."""
    score: float | None
    """In [0, 1], 0 when no answer is stated; `None` when a training sample has no usable gold."""
    flagged: bool
    """The reasoning never ended and was read as a whole."""


class Said(NamedTuple):
    """An answer that a text states."""

    prediction: str
    """As a person says it."""
    score: float
    """In [0, 1]."""


def score_item(item: Item, text: str, *, truncated: bool) -> Verdict:
    """Read and score a reply to an item.

    Args:
        item: the question.
        text: generated text, without the prompt.
        truncated: generation stopped at the length limit.
    """
    if item.sample is not None:
        return _as_in_training(item.sample, text)
    read = READERS[item.answer_kind]
    said = read_answer(
        text,
        lambda place: read(item, place),
        unclosed=not truncated,
        settles=lambda place: item.answer_kind in _NUMERIC and mentions_number(place),
    )
    flagged = not truncated and not split_completion(text).closed
    if said is None:
        return Verdict(None, 0.0, flagged)
    return Verdict(said.prediction, said.score, flagged)


def gold_of(item: Item) -> str:
    """The reference answer as a person says it: the options' texts in the place of letters."""
    if item.sample is not None:
        return gold_text(item.sample)
    if item.answer_kind in ("mc", "multi"):
        return _named(_gold_letters(item), item)
    return item.gold


def _as_in_training(sample: Sample, text: str) -> Verdict:
    (score,) = REWARDS["accuracy"]([text], sample)
    return Verdict(stated_answer(text, sample), score, flagged=False)


def _choice(item: Item, place: str) -> Said | None:
    letter = read_letter(place, offered_letters(item.options, item.gold), item.options)
    return None if letter is None else Said(_named({letter}, item), float(letter == item.gold))


def _choices(item: Item, place: str) -> Said | None:
    offered = offered_letters(item.options, max(_gold_letters(item)))
    letters = read_letter_set(place, offered, item.options)
    if letters is None:
        return None
    return Said(_named(letters, item), f1(letters, _gold_letters(item)))


def _yes_no(item: Item, place: str) -> Said | None:
    word = read_yes_no(place)
    return None if word is None else Said(word, float(word == item.gold))


def _count(item: Item, place: str) -> Said | None:
    count = read_whole_number(place)
    return None if count is None else Said(str(count), float(count == float(item.gold)))


def _number(item: Item, place: str) -> Said | None:
    number = first_number(place)
    if number is None:
        return None
    return Said(f"{number:.12g}", mean_relative_accuracy(number, float(item.gold)))


def _open(item: Item, place: str) -> Said:
    """Equal texts where the benchmark has a judge and there is none here, else MMMU's rule."""
    agrees = same_text if item.open_rule == "exact" else mmmu_agrees
    return Said(place, float(agrees(place, (item.gold, *item.alternatives))))


def _clue(item: Item, place: str) -> Said | None:
    score = score_clue(place, item.gold)
    return None if score is None else Said(place, score)


READERS: Mapping[AnswerKind, Callable[[Item, str], Said | None]] = {
    "mc": _choice,
    "multi": _choices,
    "yesno": _yes_no,
    "count": _count,
    "number": _number,
    "open": _open,
    "clue": _clue,
}
"""How a text without tags is read, by kind of answer."""


def _gold_letters(item: Item) -> frozenset[str]:
    return frozenset(letter.strip() for letter in item.gold.split(","))


def _named(letters: Collection[str], item: Item) -> str:
    """Texts of options in letter order, letters where the item does not list its options."""
    return _BETWEEN.join(option_text(letter, item.options) for letter in sorted(letters))
