from __future__ import annotations

from dataclasses import replace

import pytest

from avatar_core.data.leak import leaks
from avatar_core.types import ProblemType, Sample

CHOICE = Sample("q", "What is it?", (), "B", "multiple choice", options=("red", "dark blue", "3"))


def sample(solution: str, problem_type: ProblemType) -> Sample:
    return Sample("q", "What is it?", (), solution, problem_type)


@pytest.mark.parametrize(
    "hint",
    [
        "The answer is B",
        "the answer is b.",
        "Choose option b here",
        "(b) looks right",
        "b) looks right",
        "Go for B",
        "Look at the DARK  blue circle",
        "Is it dark-blue?",
        "Pick 'B'.",
        "the answer: **B**",
    ],
)
def test_the_right_option_is_a_leak_by_letter_or_text(hint: str) -> None:
    assert leaks(hint, CHOICE)


@pytest.mark.parametrize(
    "hint",
    [
        "Find the sounding object first, then name its colour.",
        "It may be dark; mind the blue sky",
        "The answer is C",
        "Look at plan b2 and at a bb gun",
        "Compare the red ones",
        "",
    ],
)
def test_other_words_and_options_are_none(hint: str) -> None:
    assert not leaks(hint, CHOICE)


@pytest.mark.parametrize(
    ("hint", "leaked"),
    [
        ("A good way is to find a sound", False),
        ("The answer is a colour", False),
        ("The answer is A", True),
        ("the answer is a.", True),
        ("take option a", True),
        ("(A) comes first", True),
    ],
)
def test_the_letter_a_is_told_from_the_article(hint: str, leaked: bool) -> None:
    assert leaks(hint, replace(CHOICE, solution="A", options=("circle", "square"))) is leaked


@pytest.mark.parametrize(
    ("solution", "hint", "leaked"),
    [
        ("3", "count to 3", True),
        ("3", "there are three of them", True),
        ("3", "3.0 in all", True),
        ("3 beeps", "you should hear Three", True),
        ("three", "it is 3", True),
        ("3", "the 33rd, 13 and 3.5 are others", False),
        ("3", "the thirteenth frame", False),
        ("1,000", "about 1000 of them", True),
        ("-2.5", "it is −2.5 here", True),
        ("-2.5", "it is 2.5 here", False),
    ],
)
def test_a_number_is_found_in_any_notation(solution: str, hint: str, leaked: bool) -> None:
    assert leaks(hint, sample(solution, "numerical")) is leaked
    assert leaks(hint, sample(solution, "regression")) is leaked


def test_the_option_of_the_right_letter_may_be_a_number() -> None:
    numbers = replace(CHOICE, solution="C")
    assert leaks("it happens three times", numbers)
    assert not leaks("it happens twice", numbers)


@pytest.mark.parametrize(
    ("problem_type", "solution"), [("free-form", "The Red Cross."), ("ocr", "red cross")]
)
def test_a_text_is_found_as_whole_words(problem_type: ProblemType, solution: str) -> None:
    asked = sample(solution, problem_type)
    assert leaks("Look for the red\ncross, on the left", asked)
    assert leaks("ＲＥＤ cross", asked)  # full-width letters
    assert not leaks("a red crossing", asked)
    assert not leaks("cross the red line", asked)


def test_a_pair_is_leaked_when_both_sides_are_named() -> None:
    asked = sample("left: red circle, top right: the bell", "localisation")
    assert leaks("The red circle is on the left", asked)
    assert leaks("a bell rings at the top right", asked)
    assert not leaks("Is the red circle at the top right?", asked)
    assert not leaks("Compare left and right while the low tone lasts", asked)


def test_an_answer_without_words_is_found_as_it_is() -> None:
    assert leaks("it reads ?!", sample("?!", "ocr"))
    assert not leaks("it reads !?", sample("?!", "ocr"))
