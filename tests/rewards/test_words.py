from __future__ import annotations

import re

from avatar_core.rewards.words import ENDS, STARTS, is_phrase, plain, reads_as_word, ruled_out


def test_where_a_letter_stands_alone():
    pattern = re.compile(rf"{STARTS}B{ENDS}")
    alone = ["B", "(B)", "答案是B。", "__B__", "_B_", "B.", "so B!", "B,"]
    joined = ["BC", "AB", "B-roll", "vitamin-B", "B's", "A/B", "shot_B", "B_2", "éB", "B2"]
    assert [text for text in alone if not pattern.search(text)] == []
    assert [text for text in joined if pattern.search(text)] == []
    assert (len(alone), len(joined)) == (8, 10)


def test_articles_and_pronouns_read_as_words():
    assert reads_as_word("A", "A man", 1)
    assert not reads_as_word("A", "A because", 1)
    assert not reads_as_word("A", "A.", 1)
    assert reads_as_word("I", "I because", 1)
    assert not reads_as_word("B", "B man", 1)


def test_letters_that_are_named_only_to_be_ruled_out():
    listed = ["none of the options A, B or ", "either A or ", "not A or "]
    out = ["not ", "neither the ", "不是", *listed]
    stated = ["", "not A but ", "not A, ", "between A and B I choose ", "none of it; "]
    assert [before for before in out if not ruled_out(f"{before}B", len(before))] == []
    assert [before for before in stated if ruled_out(f"{before}B", len(before))] == []
    assert (len(out), len(stated)) == (6, 5)


def test_texts_compare_without_case_space_and_final_dot():
    assert plain("  A  Red\nball. ") == "a red ball"
    assert is_phrase(plain("4"))
    assert not is_phrase(plain("B."))
