from __future__ import annotations

import re

from avatar_core.rewards.words import (
    ENDS,
    STARTS,
    among_the_wrong,
    denied,
    is_phrase,
    one_of_several,
    plain,
    reads_as_word,
    ruled_out,
    set_aside,
)


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
    assert not reads_as_word("A", "A better.", 1)
    assert not reads_as_word("A", "A fits", 1)
    assert reads_as_word("A", "A better option", 1)
    assert reads_as_word("I", "I because", 1)
    assert not reads_as_word("B", "B man", 1)


def test_letters_that_are_named_only_to_be_ruled_out():
    listed = ["none of the options A, B or ", "either A or ", "not A or "]
    out = ["not ", "neither the ", "不是", *listed]
    stated = ["", "not A but ", "not A, ", "between A and B I choose ", "none of it; "]
    assert [before for before in out if not ruled_out(f"{before}B", len(before))] == []
    assert [before for before in stated if ruled_out(f"{before}B", len(before))] == []
    assert (len(out), len(stated)) == (6, 5)


def test_answers_that_what_follows_leaves_unstated():
    rejected = [
        " is not correct",
        " isn’t right",
        " is clearly wrong.",
        " is not.",
        "? No",
        ") is wrong",
    ]
    kept = [
        "",
        " is correct",
        " is not wrong",
        " is not only right",
        "? No doubt",
        "?",
        " is wrongly",
    ]
    assert [after for after in rejected if not set_aside(f"B{after}", 1)] == []
    assert [after for after in kept if set_aside(f"B{after}", 1)] == []
    assert (len(rejected), len(kept)) == (6, 7)


def test_letters_that_share_their_place_with_another():
    assert one_of_several("B or C", 1)
    assert one_of_several("(B), C or option D", 2)
    assert not one_of_several("B or A man", 1)
    assert not one_of_several("B or later", 1)
    assert ruled_out("B or C", 5)
    assert among_the_wrong("B and C are wrong", 1)
    assert not among_the_wrong("B, and C and D are wrong", 1)


def test_texts_behind_a_denial():
    assert denied("not the dog", 8)
    assert not denied("nothing but the dog", 16)


def test_texts_compare_without_case_space_and_final_dot():
    assert plain("  A  Red\nball. ") == "a red ball"
    assert is_phrase(plain("4"))
    assert not is_phrase(plain("B."))
