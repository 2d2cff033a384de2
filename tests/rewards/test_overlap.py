from __future__ import annotations

import pytest

from avatar_core.rewards.overlap import overlap_measures, overlap_scorer, text_overlap
from tests.rewards.kinds import answers


def test_free_form_is_the_mean_of_three_rouge_scores():
    score = overlap_scorer("the dog barks")
    assert score is not None
    # "dogs bark" stems to {dog, bark}: ROUGE-1 F = 2·(2/2)(2/3)/(2/2 + 2/3) = 0.8; ROUGE-2 has the
    # bigram {dog bark} against {the dog, dog bark}: F = 2·1·½/(1 + ½) = 2/3; ROUGE-L = 0.8.
    texts = answers("The dog barks.", "dogs bark", "silence", "")
    expected = [1.0, (0.8 + 2 / 3 + 0.8) / 3, 0.0, 0.0]
    assert [score(text) for text in texts] == pytest.approx(expected)


def test_a_measure_that_the_solution_has_nothing_of_leaves_the_mean():
    assert overlap_measures("the dog barks") == ("rouge1", "rouge2", "rougeL")
    # One word has no word pairs; with ROUGE-2 in the mean a perfect answer would earn 2/3.
    assert overlap_measures("dog") == ("rouge1", "rougeL")
    # "a dog": ROUGE-1 and ROUGE-L have precision 1/2 and recall 1, F = 2·½·1/(½ + 1) = 2/3.
    assert [text_overlap(text, "dog") for text in ("Dogs", "a dog")] == pytest.approx([1, 2 / 3])


def test_a_solution_in_which_rouge_sees_no_word_cannot_be_scored_against():
    for solution in ("", "...", "狗在叫"):
        assert overlap_measures(solution) == ()
        assert overlap_scorer(solution) is None
        assert text_overlap("dog", solution) == 0
