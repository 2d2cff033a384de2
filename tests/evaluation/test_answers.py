from __future__ import annotations

from typing import Any

import pytest

from avatar_core.evaluation.answers import gold_text, stated_answer
from avatar_core.types import ProblemType, Sample


def sample(problem_type: ProblemType, solution: str, *options: str, **changes: Any) -> Sample:
    return Sample("s", "What?", (), solution, problem_type, options, **changes)


PAIRS = "left: dog; right: cat"

CASES: list[tuple[Sample, str, str | None]] = [
    (sample("multiple choice", "B", "red", "blue"), "<answer>blue</answer>", "blue"),
    (sample("multiple choice", "B", "red", "blue"), "<think>x</think><answer>A</answer>", "red"),
    (sample("multiple choice", "B", "red", "blue"), "<answer>green</answer>", None),
    (sample("multiple choice", "B", "red", "blue"), "<think>it is blue", None),
    (sample("multiple choice", "E"), "<answer>E</answer>", "E"),
    # The solution may be wrapped; letters reach to it all the same.
    (sample("multiple choice", "(F)"), "<answer>F</answer>", "F"),
    # Reasoning that never ended is no answer, whatever letter stands in it; a tag in it is one.
    (sample("multiple choice", "B", "red", "blue"), "<think>B <answer>?</answer>", None),
    (sample("multiple choice", "B", "red", "blue"), "<think>A <answer>B</answer>", "blue"),
    (sample("multiple choice", "A"), "<answer>E</answer>", None),
    (sample("numerical", "3"), "<think>1 or 2</think><answer>3</answer>", "3"),
    (sample("numerical", "3"), "<answer>2.50</answer>", "2.5"),
    (sample("numerical", "3"), "<answer>many</answer>", None),
    (sample("localisation", "left: dog"), "<answer>right: a cat; left: dog</answer>", PAIRS),
    (sample("free-form", "a dog"), "<answer>a cat</answer>", "a cat"),
    (sample("free-form", "a dog"), "<answer></answer>", None),
    (sample("ocr", "STOP"), "", None),
]


def test_stated_answers() -> None:
    assert [stated_answer(text, one) for one, text, _ in CASES] == [case[2] for case in CASES]
    assert len(CASES) == 16


@pytest.mark.parametrize(
    ("one", "text"),
    [
        (sample("multiple choice", "B", "red", "blue"), "blue"),
        (sample("multiple choice", "B"), "B"),
        (sample("ocr", "AB"), "AB"),
    ],
)
def test_gold_is_said_in_words(one: Sample, text: str) -> None:
    assert gold_text(one) == text
