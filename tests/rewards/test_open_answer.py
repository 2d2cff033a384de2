from __future__ import annotations

import pytest

from avatar_core.rewards.answer import read_answer
from avatar_core.rewards.open_answer import mmmu_agrees, same_text
from tests.rewards.golden import rows

RULES = {"exact": same_text, "mmmu": mmmu_agrees}


def test_every_golden_reply_is_judged_as_labelled():
    replies = rows("open")
    assert len(replies) == 37
    for row in replies:
        agrees = RULES[row["rule"]]
        right = read_answer(
            row["text"], lambda place, row=row, agrees=agrees: agrees(place, row["golds"])
        )
        assert bool(right) == row["label"], row["text"]
    assert sum(row["label"] for row in replies) == 22


@pytest.mark.parametrize(
    ("answer", "gold", "right"),
    [
        ("The Eiffel Tower", "eiffel tower", True),
        ("A eiffel  tower!", "Eiffel Tower", True),
        ("3.50", "3.5", True),
        ("1,000", "1000", True),
        ("3.5 m", "3.5", False),
        ("tower", "eiffel tower", False),
        ("the answer: $x$", "x", True),
        ("", "", False),
        ("?", "?", False),
    ],
)
def test_equal_texts(answer, gold, right):
    assert same_text(answer, [gold]) is right


@pytest.mark.parametrize(
    ("answer", "golds", "right"),
    [
        # Only what stands behind the last cue of a sentence is looked at.
        ("12 is the first value. So the total is 30.", ["12"], False),
        ("12 is the first value. So the total is 30.", ["30"], True),
        ("The mitral valve. It opens.", ["mitral valve"], True),
        # Two decimals: 0.333 and 1/3 = 0.3333 are both 0.33.
        ("x = 0.3333", ["0.333"], True),
        ("x = 0.34", ["0.333"], False),
        ("x = thirty", ["30"], True),
        # A number is no part of a longer one.
        ("x = 130", ["30"], False),
        ("It is photosynthesis", ["respiration", "photosynthesis"], True),
        ("It is class b", ["B"], True),
        ("It is bubbles", ["B"], False),
        ("It is anything", [""], False),
    ],
)
def test_the_rule_of_mmmu(answer, golds, right):
    assert mmmu_agrees(answer, golds) is right
