"""Tests of benchmarks/options.py: letters off, letters of golds, options within a question."""

from __future__ import annotations

import pytest

from avatar_core.benchmarks.options import bare_options, option_letter, split_inline, text_letter
from avatar_core.errors import DataError

COLOURS = ("red", "green", "blue")


def test_letters_go_only_when_every_option_has_its_own() -> None:
    for given in (
        ["A. red", "B. green", "C. blue"],
        ["(A) red", "(B) green", "(C) blue"],
        ["A: red", "B: green", "C: blue "],
        ["red", " green", "blue"],
    ):
        assert bare_options(given) == COLOURS
    assert bare_options(["A. red", "C. green"]) == ("A. red", "C. green")
    assert bare_options(["A. red", "green"]) == ("A. red", "green")
    # The same text twice is a fault of the benchmark that its numbers have to live with.
    assert bare_options(["A. red", "B. red"]) == ("red", "red")
    assert bare_options([]) == ()


@pytest.mark.parametrize(
    ("answer", "letter"),
    [
        ("B", "B"),
        (" B ", "B"),
        ("b", "B"),
        ("(B)", "B"),
        ("b.", "B"),
        ("[C]:", "C"),
        (0, "A"),
        (2, "C"),
        ("green", "B"),
        ("  Green ", "B"),
        ("light  GREY", "D"),
        ("e", "D"),
    ],
)
def test_a_gold_is_a_letter_an_index_or_a_text(answer: object, letter: str) -> None:
    options = (*COLOURS, "e" if answer == "e" else "Light grey")
    assert option_letter(answer, options, "x: row 1") == letter


def test_a_capital_letter_comes_before_a_text_and_a_text_before_all_else() -> None:
    # Options that are letters, not in order: the gold is a letter of the list.
    assert option_letter("B", ("C", "A", "B"), "x") == "B"
    # But a benchmark that gives texts means the text.
    assert text_letter("B", ("C", "A", "B"), "x") == "C"
    assert option_letter("b", ("c", "b", "a"), "x") == "B"
    assert option_letter("a", ("c", "b", "a"), "x") == "C"
    # Case tells two options apart before it is ignored; of equal texts the first counts.
    assert text_letter("Red", ("red", "Red"), "x") == "B"
    assert text_letter("RED", ("red", "Red"), "x") == "A"
    assert text_letter("red", ("blue", "red", "red"), "x") == "B"


@pytest.mark.parametrize(
    "answer", ["D", "", "yellow", 3, -1, True, None, 1.0, ["A"], "A, B", "a b"]
)
def test_what_is_no_option_is_refused_with_its_place(answer: object) -> None:
    with pytest.raises(
        DataError, match=r"^x\.json: row 7: answer .* is none of the 3 options; mend"
    ):
        option_letter(answer, COLOURS, "x.json: row 7")
    with pytest.raises(
        DataError, match=r"^x\.json: row 7: answer .* is none of the 3 options; mend"
    ):
        text_letter(answer, COLOURS, "x.json: row 7")


@pytest.mark.parametrize("count", [1, 27])
def test_a_number_of_options_without_letters_is_refused(count: int) -> None:
    options = tuple(str(n) for n in range(count))
    for ask in (option_letter, text_letter):
        with pytest.raises(DataError, match=f"x: has {count} options; give 2 to 26"):
            ask("0", options, "x")


def test_a_row_without_options_is_refused() -> None:
    for ask in (option_letter, text_letter):
        with pytest.raises(DataError, match="^x: no options were found in the row or its question"):
            ask("0", (), "x")


@pytest.mark.parametrize(
    ("text", "question", "options"),
    [
        ("Who?\n(A) Red\n(B) Blue", "Who?", ("Red", "Blue")),
        ("Who?\nA. Red\nB. Blue\nC. Both", "Who?", ("Red", "Blue", "Both")),
        ("Who?\n A) Red\n B) Blue\n", "Who?", ("Red", "Blue")),
        ("Who?\nA: Red\r\nB: Blue\r", "Who?", ("Red", "Blue")),
        ("One.\nTwo?\n\n(A) Red\n(B) Blue", "One.\nTwo?", ("Red", "Blue")),
        # A line without the next letter goes on with the option above.
        (
            "Who?\nA. Red\nand white\nB. Blue\nA. Smith",
            "Who?",
            ("Red\nand white", "Blue\nA. Smith"),
        ),
        # A sentence that begins with A is not the first option when no B follows it directly.
        ("A. Smith speaks.\nWho?\nA. Red\nB. Blue", "A. Smith speaks.\nWho?", ("Red", "Blue")),
        ("(A) and (B) differ.\nHow?\n(A) x\n(B) y", "(A) and (B) differ.\nHow?", ("x", "y")),
    ],
)
def test_options_behind_a_question_are_split_off(
    text: str, question: str, options: tuple[str, ...]
) -> None:
    assert split_inline(text) == (question, options)


@pytest.mark.parametrize(
    "text",
    [
        "Who?",
        "",
        "Who?\nA. Red",
        "Who?\n(B) x\n(C) y",
        "A man walks.\nBut why?",
        "U.S.A.\nB.C.\nA.D.",
    ],
)
def test_a_question_without_options_stays(text: str) -> None:
    assert split_inline(text) == (text, ())


def test_long_texts_are_split_in_no_time() -> None:
    assert split_inline("A. x\n" * 20_000).options == ()
    assert split_inline(" " * 100_000).options == ()
    assert split_inline("((((" * 25_000).options == ()
