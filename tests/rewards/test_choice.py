from __future__ import annotations

import pytest

from avatar_core.rewards.choice import choice_scorer
from tests.rewards.kinds import COLOURS, answers, sample


@pytest.mark.parametrize("gold", ["B", "b", "B. green", "green", "<answer>B</answer>"])
def test_a_choice_is_right_by_letter_or_by_text(gold):
    score = choice_scorer(sample(gold, "multiple choice", COLOURS))
    assert score is not None
    assert [score(text) for text in answers("B", "green", "it is (B)")] == [1.0, 1.0, 1.0]
    assert [score(text) for text in answers("A", "red", "unsure", "D")] == [0.0] * 4


def test_without_options_the_letters_reach_as_far_as_the_solution():
    for gold, expected in {"D": [1.0, 0.0], "F": [0.0, 1.0]}.items():
        score = choice_scorer(sample(gold, "multiple choice"))
        assert score is not None
        assert [score(text) for text in answers("D", "F")] == expected


def test_a_letter_in_an_unfinished_reasoning_earns_nothing():
    score = choice_scorer(sample("B", "multiple choice", COLOURS))
    assert score is not None
    texts = ["<think>so it is B", "<think>so it is B<answer>B</answer>", "so it is B"]
    assert [score(text) for text in texts] == [0.0, 1.0, 1.0]


def test_a_solution_that_names_no_option_cannot_be_scored_against():
    assert choice_scorer(sample("D", "multiple choice", COLOURS)) is None
    assert choice_scorer(sample("", "multiple choice")) is None
