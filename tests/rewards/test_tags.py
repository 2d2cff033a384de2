from __future__ import annotations

from avatar_core.rewards.tags import readings, tagged_answer, tail_of, without_tags


def test_the_tail_starts_behind_the_last_closed_reasoning():
    assert tail_of("<think>a</think>b") == ("b", True)
    assert tail_of("a</think>b</THINK>c") == ("c", True)
    assert tail_of("no tags") == ("no tags", True)
    assert tail_of("<think>a</think>b<think>c") == ("b<think>c", False)


def test_the_last_answer_pair_wins_over_an_unclosed_tag():
    assert tagged_answer("x<answer>1</answer>y<answer>2</answer>z") == (
        "2",
        "x<answer>1</answer>y z",
    )
    assert tagged_answer("<answer>1</answer><answer>2") == ("1", " <answer>2")
    assert tagged_answer("x<answer>2</an") == ("2", "x")
    assert tagged_answer("x</answer>") is None


def test_tags_become_spaces_so_that_words_stay_apart():
    assert without_tags("<think>a</think>b<answer> c</answer>") == "a b  c"


def test_the_tag_comes_before_what_surrounds_it():
    assert readings("<think>a</think>b <answer>c</answer> d") == ("c", "b   d")
    assert readings("<think>a</think>b") == ("b",)
    assert readings("<answer> </answer>b") == ("b",)
    assert readings("<think>a</think>") == ()


def test_an_open_reasoning_is_left_out_on_request():
    assert readings("<think>a<answer>c</answer>") == ("c", "a")
    assert readings("<think>a<answer>c</answer>", unclosed=False) == ("c",)
    assert readings("<think>a") == ("a",)
    assert readings("<think>a", unclosed=False) == ()
    assert readings("a", unclosed=False) == ("a",)
