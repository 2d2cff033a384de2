"""How many answers to a file of questions are right, of those whose rows state what is right."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from avatar_core.evaluation.items import item_of
from avatar_core.evaluation.scoring import score_item
from avatar_core.inference.answer_file import AnswerRow
from avatar_core.inference.rows import Question


class Correct(NamedTuple):
    """Right answers among those that can be scored."""

    right: int
    """Answers that the accuracy reward of training gives its full value."""
    scored: int
    """Rows with a solution; one that could not be asked is among them and not right."""

    @property
    def accuracy(self) -> float | None:
        """Share in [0, 1]; `None` without a row to score."""
        return self.right / self.scored if self.scored else None


def count_correct(pairs: Iterable[tuple[Question, AnswerRow]]) -> Correct:
    """Score the answers to questions whose rows have a solution, as training does."""
    scores = []
    for question, row in pairs:
        if question.sample is None:
            continue
        text = row.text or ""
        score = score_item(item_of(question.sample), text, truncated=row.truncated).score
        if score is not None:
            scores.append(score)
    return Correct(sum(score >= 1.0 for score in scores), len(scores))
