from __future__ import annotations

import pytest

from avatar_core.rewards.localisation import pair_scorer
from tests.rewards.kinds import answers


def test_localisation_is_the_f1_of_exact_pairs():
    score = pair_scorer("left: dog; right: cat")
    assert score is not None
    texts = answers(
        "right: the Cat; left: dog",  # 2·2 / (2 + 2)
        "left: dog",  # 2·1 / (1 + 2)
        "left: dog; right: cat; top: bird",  # 2·2 / (3 + 2)
        "left: cat; right: dog",
        "I hear nothing",
    )
    assert [score(text) for text in texts] == pytest.approx([1.0, 2 / 3, 4 / 5, 0.0, 0.0])


def test_a_solution_without_a_pair_cannot_be_scored_against():
    assert pair_scorer("nothing sounds") is None
