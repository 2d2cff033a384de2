from __future__ import annotations

import pytest

from avatar_core.rewards.word_error import word_agreement, word_error_scorer
from tests.rewards.kinds import answers


def test_text_recognition_is_one_minus_the_word_error_rate():
    score = word_error_scorer("Open all night")
    assert score is not None
    # 0 errors; 1 of 3 words replaced; all missing; five words too many are clipped.
    texts = answers("open  ALL night", "open all day", "", "a b c d e f g h")
    assert [score(text) for text in texts] == pytest.approx([1.0, 2 / 3, 0.0, 0.0])


def test_words_of_any_script_count():
    # 1 of 2 words replaced.
    assert word_agreement("Ñandú Große", "ñandú straße") == pytest.approx(0.5)
    assert word_agreement("営業中", "営業中") == 1


def test_a_solution_without_a_word_cannot_be_scored_against():
    assert word_error_scorer(" \n ") is None
