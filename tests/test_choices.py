"""Option texts and the letter of the right one: what is taken off, what is refused."""

from __future__ import annotations

import string

import pytest

from avatar_core.choices import LETTERS, gold_letter, option_texts
from avatar_core.errors import DataError

COLOURS = ("red", "green", "blue")


def test_no_options_are_none() -> None:
    assert option_texts(None) == option_texts([]) == ()


def test_letters_are_taken_off_when_every_option_carries_its_own() -> None:
    for lettered in (
        ["A. red", "B. green", "C. blue"],
        ["(A) red", "(B) green", "(C) blue"],
        ["A: red ", " B) green", "C, blue"],
    ):
        assert option_texts(lettered) == COLOURS
    assert option_texts(["red", " green ", "blue"]) == COLOURS


@pytest.mark.parametrize(
    "given",
    [
        ["A. red", "C. green"],  # the second should carry B
        ["A. red", "green"],  # one has none
        ["A. ", "B. green"],  # nothing is left of the first
        ["A minor", "B flat"],  # words that begin with a letter
    ],
)
def test_letters_that_are_no_labels_stay(given: list[str]) -> None:
    assert option_texts(given) == tuple(option.strip() for option in given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("red, green", "must be a list of texts"),
        ([1, 2], "must be a list of texts"),
        (["red", " "], "must be a list of texts"),
        (["red"], "1 options are given; give 2 to 26"),
        ([*string.ascii_letters[:27]], "27 options are given; give 2 to 26"),
        (["light red", "Light  RED"], "two options have the same text"),
        (["A. red", "B. red"], "two options have the same text"),
    ],
)
def test_what_is_no_list_of_different_texts_is_refused(given: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        option_texts(given)


@pytest.mark.parametrize(
    ("solution", "letter"),
    [
        ("B", "B"),
        (" (B) ", "B"),
        ("b", "B"),  # the text of the second option, not a letter in small
        ("GREEN  apple", "C"),
        ("C. green apple", "C"),
        ("(C) Green apple", "C"),
    ],
)
def test_a_solution_is_a_letter_a_text_or_both(solution: str, letter: str) -> None:
    assert gold_letter(solution, ("a", "b", "green apple")) == letter


def test_without_options_only_a_letter_will_do() -> None:
    assert gold_letter("Z", ()) == "Z"
    assert gold_letter("D. any text", ()) == "D"
    with pytest.raises(DataError, match=r"give a letter from A to Z$"):
        gold_letter("green", ())


@pytest.mark.parametrize("solution", ["D", "C. red", "orange", ""])
def test_what_is_none_of_the_options_is_refused(solution: str) -> None:
    with pytest.raises(DataError, match="none of the options; give a letter from A to C or"):
        gold_letter(solution, COLOURS)


def test_a_letter_that_is_also_another_options_text_is_refused() -> None:
    with pytest.raises(DataError, match="the letter of one option and the text of another"):
        gold_letter("A", ("B", "A"))
    # The letter of the option whose text it is says one thing only.
    assert gold_letter("A", ("A", "B")) == "A"
    assert len(LETTERS) == 26
