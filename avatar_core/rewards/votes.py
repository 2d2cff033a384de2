"""A completion's answer as a vote, and what the votes of one group are worth."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import Literal

from avatar_core.rewards.answer import answer_text, extract_number, extract_pairs
from avatar_core.rewards.letters import stated_letter, valid_letters
from avatar_core.types import Sample

Vote = str | float | frozenset[tuple[str, str]]
"""A normalised answer; equal answers are one vote for the same thing."""

TieRule = Literal["split", "first"]
TIE_RULES: tuple[TieRule, ...] = ("split", "first")

_QUORUM = 2
_EDGE = " .,;:!?\"'`()[]{}*“”‘’«»„"


def vote_of(text: str, sample: Sample) -> Vote | None:
    """The answer that a completion votes for, read as the accuracy reward reads it.

    A letter for multiple choice, a number for numerical and regression, the set of `position:
    object` pairs for localisation, else the answer's text in compatibility form, case-folded, with
    single spaces and without punctuation at its ends.

    Returns:
        The vote; `None`, an abstention, when no answer can be read.
    """
    match sample.problem_type:
        case "multiple choice":
            return stated_letter(text, valid_letters(sample), sample.options)
        case "numerical" | "regression":
            return extract_number(text)
        case "localisation":
            return extract_pairs(text)
        case "ocr" | "free-form":
            return _plain(answer_text(text)) or None


def majority_agreement(
    votes: Sequence[Vote | None], *, ties: TieRule = "split"
) -> list[float | None]:
    """Reward of each member of a group for voting with the majority.

    With k answers tied at the top, "split" gives 1/k to every vote for one of them: what a fair
    draw of the winner would give on average, whatever the order of the members; k = 1 is the plain
    majority. "first" takes the tied answer that was stated first (authors' code). Every other vote
    earns 0, and so does an abstention, which is the model's failure. A single vote has nothing to
    agree with: it stays unscored.

    Args:
        votes: one per member, `None` for an abstention.
        ties: what a tie at the top is worth.

    Returns:
        One value in [0, 1] per member; `None` for the only vote of a group.

    >>> majority_agreement(["A", "A", "B", None])
    [1.0, 1.0, 0.0, 0.0]
    >>> majority_agreement(["A", "B", "C", "B", "A"])
    [0.5, 0.5, 0.0, 0.5, 0.5]
    """
    counts = Counter(vote for vote in votes if vote is not None)
    if counts.total() < _QUORUM:
        return [0.0 if vote is None else None for vote in votes]
    most = max(counts.values())
    # Counting keeps the order in which the answers were stated.
    winners = [answer for answer, count in counts.items() if count == most]
    if ties == "first":
        winners = winners[:1]
    return [1.0 / len(winners) if vote in winners else 0.0 for vote in votes]


def _plain(text: str) -> str:
    """Text in the form in which two answers are compared."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(folded.split()).strip(_EDGE)
