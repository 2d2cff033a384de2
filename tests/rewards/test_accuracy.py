from __future__ import annotations

import math

import pytest

from avatar_core.errors import UsageError
from avatar_core.rewards.accuracy import accuracy_reward, numeric_agreement
from avatar_core.types import Sample


def sample(solution: str, kind: str, options: tuple[str, ...] = ()) -> Sample:
    return Sample("s", "What is it?", (), solution, kind, options)


def answers(*texts: str) -> list[str]:
    return [f"<think>A, 9, left: cat</think><answer>{text}</answer>" for text in texts]


COLOURS = ("red", "green", "blue")


@pytest.mark.parametrize("gold", ["B", "b", "B. green", "green", "<answer>B</answer>"])
def test_a_choice_is_right_by_letter_or_by_text(gold):
    texts = answers("B", "green", "it is (B)", "A", "red", "unsure", "D")
    assert accuracy_reward(texts, sample(gold, "multiple choice", COLOURS)) == [
        1.0,
        1.0,
        1.0,
        0.0,
        0.0,
        0.0,
        0.0,
    ]


def test_without_options_the_letters_reach_as_far_as_the_solution():
    assert accuracy_reward(answers("D", "F"), sample("D", "multiple choice")) == [1.0, 0.0]
    assert accuracy_reward(answers("D", "F"), sample("F", "multiple choice")) == [0.0, 1.0]


def test_a_letter_in_an_unfinished_reasoning_earns_nothing():
    texts = ["<think>so it is B", "<think>so it is B<answer>B</answer>", "so it is B"]
    assert accuracy_reward(texts, sample("B", "multiple choice", COLOURS)) == [0.0, 1.0, 1.0]


def test_an_unusable_solution_leaves_every_completion_unscored():
    cases = [
        sample("none of them", "multiple choice", COLOURS),
        sample("D", "multiple choice", COLOURS),
        sample("several", "numerical"),
        sample("", "regression"),
        sample("nothing sounds", "localisation"),
        sample(" ", "ocr"),
        sample("", "free-form"),
    ]
    for case in cases:
        assert accuracy_reward(answers("A", "1"), case) == [None, None], case
    assert len(cases) == 7


def test_dense_numeric_agreement_falls_with_the_relative_error():
    # Target 4: 4 → 1; 3 → 1 − 1/4; 8 → 1 − 4/4; 20 → clipped; −4 → clipped.
    assert [numeric_agreement(y, 4.0) for y in (4.0, 3.0, 8.0, 20.0, -4.0)] == [1, 0.75, 0, 0, 0]
    # Target −2: −3 → 1 − 1/2. Target 0: the absolute error counts.
    assert numeric_agreement(-3.0, -2.0) == 0.5
    assert [numeric_agreement(y, 0.0) for y in (0.0, 0.25, -3.0)] == [1, 0.75, 0]
    assert numeric_agreement(1e308, -1e308) == 0
    assert math.isclose(numeric_agreement(99.9, 100.0), 0.999)


def test_strict_numeric_agreement_is_all_or_nothing():
    # |99.95 − 100| / 100 = 5e-4 < 1e-3; |99.8 − 100| / 100 = 2e-3.
    assert [numeric_agreement(y, 100.0, strict=True) for y in (100.0, 99.95, 99.8)] == [1, 1, 0]
    assert [numeric_agreement(y, 0.0, strict=True) for y in (0.0, 5e-6, 1e-4)] == [1, 1, 0]


@pytest.mark.parametrize("kind", ["numerical", "regression"])
def test_numbers_are_read_from_the_answer_only(kind):
    texts = [*answers("4", "five", "3", "no idea"), "<think>4</think>", "<think>it is 4"]
    assert accuracy_reward(texts, sample("4", kind)) == [1.0, 0.75, 0.75, 0.0, 0.0, 0.0]
    assert accuracy_reward(texts[:3], sample("4", kind), numeric="strict") == [1.0, 0.0, 0.0]


def test_localisation_is_the_f1_of_exact_pairs():
    gold = sample("left: dog; right: cat", "localisation")
    texts = answers(
        "right: the Cat; left: dog",  # 2·2 / (2 + 2)
        "left: dog",  # 2·1 / (1 + 2)
        "left: dog; right: cat; top: bird",  # 2·2 / (3 + 2)
        "left: cat; right: dog",
        "I hear nothing",
    )
    expected = [1.0, 2 / 3, 4 / 5, 0.0, 0.0]
    assert accuracy_reward(texts, gold) == pytest.approx(expected)


def test_text_recognition_is_one_minus_the_word_error_rate():
    gold = sample("Open all night", "ocr")
    # 0 errors; 1 of 3 words replaced; all missing; five words too many are clipped.
    texts = answers("open  ALL night", "open all day", "", "a b c d e f g h")
    assert accuracy_reward(texts, gold) == pytest.approx([1.0, 2 / 3, 0.0, 0.0])


def test_free_form_is_the_mean_of_three_rouge_scores():
    gold = sample("the dog barks", "free-form")
    # "dogs bark" stems to {dog, bark}: ROUGE-1 F = 2·(2/2)(2/3)/(2/2 + 2/3) = 0.8; ROUGE-2 has the
    # bigram {dog bark} against {the dog, dog bark}: F = 2·1·½/(1 + ½) = 2/3; ROUGE-L = 0.8.
    texts = answers("The dog barks.", "dogs bark", "silence", "")
    expected = [1.0, (0.8 + 2 / 3 + 0.8) / 3, 0.0, 0.0]
    assert accuracy_reward(texts, gold) == pytest.approx(expected)


def test_an_unknown_way_to_compare_numbers_is_refused():
    with pytest.raises(UsageError, match="numeric='loose'"):
        accuracy_reward(["4"], sample("4", "numerical"), numeric="loose")
