from __future__ import annotations

from typing import get_args

import pytest

from avatar_core.errors import UsageError
from avatar_core.rewards.accuracy import accuracy_reward
from avatar_core.types import ProblemType
from tests.rewards.kinds import COLOURS, SOLUTIONS, answers, sample, samples


def test_every_problem_type_is_scored():
    assert set(SOLUTIONS) == set(get_args(ProblemType))
    for case in samples():
        # The solution given as the answer is right; a well-formed answer to something else is not.
        assert accuracy_reward(answers(case.solution, "zebra"), case) == [1.0, 0.0], case


def test_an_unusable_solution_leaves_every_completion_unscored():
    cases = [
        sample("none of them", "multiple choice", COLOURS),
        sample("D", "multiple choice", COLOURS),
        sample("several", "numerical"),
        sample("", "regression"),
        sample("nothing sounds", "localisation"),
        sample(" ", "ocr"),
        sample("", "free-form"),
        sample("狗在叫", "free-form"),
    ]
    for case in cases:
        assert accuracy_reward(answers("A", "1"), case) == [None, None], case
    assert len(cases) == 8


def test_the_way_to_compare_numbers_reaches_the_scorer():
    # Target 4, answer 5: 1 − 1/4 when graded, 0 when strict.
    texts = answers("4", "five")
    assert accuracy_reward(texts, sample("4", "numerical")) == [1.0, 0.75]
    assert accuracy_reward(texts, sample("4", "numerical"), numeric="strict") == [1.0, 0.0]


def test_an_unknown_way_to_compare_numbers_is_refused():
    with pytest.raises(UsageError, match="numeric='loose'"):
        accuracy_reward(["4"], sample("4", "numerical"), numeric="loose")
