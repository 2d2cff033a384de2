from __future__ import annotations

from avatar_core.inference.answer_file import AnswerRow, refused_row
from avatar_core.inference.correct import Correct, count_correct
from avatar_core.inference.rows import Question
from avatar_core.types import Sample


def question(name: str, solution: str | None) -> Question:
    sample = None if solution is None else Sample(name, "How many?", (), solution, "numerical")
    return Question(name, "How many?", (), None, sample)


def answered(asked: Question, text: str) -> AnswerRow:
    return refused_row(asked, "digest").model_copy(update={"text": text, "error": None})


def test_right_answers_are_counted_among_the_rows_with_a_solution() -> None:
    one, two, lost, free = (
        question("one", "3"),
        question("two", "3"),
        question("lost", "3"),
        question("free", None),
    )
    pairs = [
        (one, answered(one, "<answer>3</answer>")),
        (two, answered(two, "<answer>4</answer>")),
        (lost, refused_row(lost, "digest")),
        (free, answered(free, "<answer>3</answer>")),
    ]
    found = count_correct(pairs)
    assert (found.right, found.scored, found.accuracy) == (1, 3, 1 / 3)
    assert count_correct([]) == Correct(0, 0)
    assert Correct(0, 0).accuracy is None
