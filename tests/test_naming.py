from __future__ import annotations

from avatar_core.naming import LISTED, nearest, numbered

KEYS = ("optim.lr", "optim.warmup", "loss.beta", "replay.window", "rollout.window", "steps")
MANY = tuple(f"{letter}0000" for letter in "abcdefghi")


def test_a_misspelling_finds_its_name() -> None:
    assert nearest("stpes", KEYS) == "; did you mean 'steps'?"
    assert nearest("loss.betta", KEYS) == "; did you mean 'loss.beta'?"
    # The share of matching characters is 2 * 2 / (2 + 4) = 0.67 for "lr" in "lrrr", and
    # 2 * 4 / (4 + 12) = 0.5 for "warm" in "optim.warmup": at the bound a name still counts as near.
    assert nearest("lrrr", ("lr",)) == "; did you mean 'lr'?"
    assert nearest("warm", ("optim.warmup",)) == "; did you mean 'optim.warmup'?"


def test_the_last_word_of_a_dotted_name_is_enough() -> None:
    # 2 * 6 / (6 + 13) = 0.63 would be near by letters; "beta" in "supervised.learning.beta" has
    # 2 * 4 / (4 + 24) = 0.29 and is not.
    assert nearest("beta", ("supervised.learning.beta", *MANY)) == (
        "; did you mean 'supervised.learning.beta'?"
    )
    # Of two such names the first one that is known.
    assert nearest(
        "a.bb.window", ("xxxxxxxxxxxxxxxxxxx.window", "yyyyyyyyyyyyyyyyyyyyy.window")
    ) == ("; did you mean 'xxxxxxxxxxxxxxxxxxx.window'?")


def test_without_a_near_name_a_short_list_is_shown_and_a_long_one_is_not() -> None:
    assert nearest("xyzzy", ("grpo", "paper")) == "; known: grpo, paper"
    assert len(MANY) == LISTED + 1
    assert nearest("xyzzy", MANY[:LISTED]) == f"; known: {', '.join(MANY[:LISTED])}"
    assert nearest("xyzzy", MANY) == ""


def test_where_nothing_is_known_nothing_is_said() -> None:
    assert nearest("xyzzy", ()) == ""
    assert nearest("", ()) == ""


def test_a_name_that_repeats_gets_a_number_that_no_other_has() -> None:
    assert numbered(["a", "b", "a", "a"]) == ["a", "b", "a#2", "a#3"]
    # The second "a" would be "a#2", which a later one is called itself.
    assert numbered(["a", "a", "a#2"]) == ["a", "a#3", "a#2"]
    assert numbered([]) == []
