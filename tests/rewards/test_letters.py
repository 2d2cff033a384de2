from __future__ import annotations

import string

from avatar_core.choices import LETTERS
from avatar_core.rewards.answer import extract_letter
from avatar_core.rewards.letters import stated_letter, valid_letters
from tests.rewards.kinds import COLOURS, answers, sample


def test_each_option_has_a_letter():
    assert LETTERS == string.ascii_uppercase
    assert valid_letters(sample("B", "multiple choice", COLOURS)) == "ABC"
    assert valid_letters(sample("Z", "multiple choice", tuple(LETTERS))) == LETTERS


def test_unlisted_options_are_four_or_reach_to_the_solution():
    expected = {"A": "ABCD", "D": "ABCD", "F": "ABCDEF", "(F) later": "ABCDEF", "": "ABCD"}
    for solution, letters in expected.items():
        assert valid_letters(sample(solution, "multiple choice")) == letters, solution
    assert len(expected) == 5


def test_finished_completions_read_as_the_parser_reads_them():
    texts = [*answers("B", "green", "no idea"), "so it is B", "<think>A</think>B", "B", ""]
    for text in texts:
        assert stated_letter(text, "ABC", COLOURS) == extract_letter(text, "ABC", COLOURS), text
    assert [stated_letter(text, "ABC", COLOURS) for text in texts] == [
        *("B", "B", None),
        *("B", "B", "B", None),
    ]


def test_an_unfinished_reasoning_states_only_what_an_answer_tag_holds():
    assert stated_letter("<think>so it is B", "ABC") is None
    assert stated_letter("<think>a</think>B<think>or C", "ABC") is None
    assert stated_letter("<think>so it is B<answer>C</answer>", "ABC") == "C"
    assert stated_letter("<think>so it is B<answer>green", "ABC", COLOURS) == "B"
    # The parser alone would fall back on the reasoning around the tag.
    cut = "<think>so it is B<answer>no idea</answer>"
    assert (stated_letter(cut, "ABC"), extract_letter(cut, "ABC")) == (None, "B")
    # An option without text must not make an empty answer a choice.
    assert stated_letter("<think>so", "AB", ("", "red")) is None
