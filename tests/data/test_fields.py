"""Tests of data/fields.py: what each field may be, and what is said of all else."""

from __future__ import annotations

import pytest

from avatar_core.data.fields import (
    PROBLEM_TYPES,
    check_cues,
    id_of,
    optional_text,
    problem_type_of,
    solution_of,
    stage_of,
    trace_of,
)
from avatar_core.errors import DataError


def test_problem_types_in_every_spelling() -> None:
    spellings: dict[str, str] = {
        "OCR": "ocr",
        "Free_form": "free-form",
        "free form": "free-form",
        "multiple-choice": "multiple choice",
        " Multiple  Choice ": "multiple choice",
    }
    spellings |= {str(name): name for name in PROBLEM_TYPES}
    for given, expected in spellings.items():
        assert problem_type_of(given) == expected
    assert len(spellings) == 11


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, "problem_type is missing; give one of multiple choice, numerical, ocr, free-form"),
        (["ocr"], "problem_type must be text, found list"),
        ("numeric", "unknown problem_type 'numeric'; did you mean 'numerical'?"),
        ("regresion", "did you mean 'regression'?"),
        ("", "unknown problem_type ''"),
        ("code", "unknown problem_type 'code'"),
    ],
)
def test_other_problem_types_are_refused(given: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        problem_type_of(given)


def test_solutions_lose_their_tags() -> None:
    cases = [
        (" B ", "B"),
        ("<answer>B</answer>", "B"),
        ("<think>x <answer>A</answer></think> <ANSWER>\nB.\n</ANSWER>", "B."),
        (3, "3"),
        (0, "0"),
        (2.5, "2.5"),
    ]
    for given, expected in cases:
        assert solution_of(given) == expected
    assert len(cases) == 6


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, "solution is missing"),
        ("", "solution is empty"),
        (" \n", "solution is empty"),
        ("<answer> </answer>", "solution is empty"),
        (True, "solution must be text or a number, found bool"),
        (["B"], "solution must be text or a number, found list"),
        ({"answer": "B"}, "solution must be text or a number, found dict"),
    ],
)
def test_other_solutions_are_refused(given: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        solution_of(given)


def test_stages() -> None:
    assert [stage_of(given) for given in (None, 0, 1, 2, 3)] == [None, 0, 1, 2, 3]
    bad = (4, -1, "1", 1.0, True, [1], "x" * 1000)
    for given in bad:
        with pytest.raises(DataError, match=r"^stage '.{1,60}' does not exist; give 0, 1, 2 or 3$"):
            stage_of(given)
    assert len(bad) == 7


def test_optional_texts() -> None:
    assert [optional_text(given, "hint") for given in (None, "", " \n", " x ")] == [
        None,
        None,
        None,
        "x",
    ]
    for given in (3, False, ["x"]):
        with pytest.raises(DataError, match="hint must be text, found"):
            optional_text(given, "hint")


def test_audio_cues_are_texts() -> None:
    good: tuple[object, ...] = (None, "", "a bell", [], ["a bell", "rain"])
    for cues in good:
        check_cues(cues)
    bad: tuple[object, ...] = (3, [3], {"cue": "x"}, ["x", None], [["x"]])
    for cues in bad:
        with pytest.raises(DataError, match="audio_cues must be a text or a list of texts"):
            check_cues(cues)
    assert (len(good), len(bad)) == (5, 5)


def test_reasoning_becomes_a_whole_reply() -> None:
    reply = "<think>It is blue.</think><answer>B</answer>"
    for reasoning in ("<think>It is blue.</think>", " <THINK>\nIt is blue.\n</THINK>\n"):
        assert trace_of(reasoning, "B") == reply
    assert trace_of("It is blue.", "B") == reply
    for nothing in (None, "", " "):
        assert trace_of(nothing, "B") is None
    # Tags with nothing between them reason as little.
    assert trace_of("<think> </think>", "B") is None
    with pytest.raises(DataError, match="process must be text"):
        trace_of(["x"], "B")


def test_ids() -> None:
    assert [id_of(given) for given in (None, "x", 7, 0, " y")] == [None, "x", "7", "0", " y"]
    bad = ("", "  ", 1.5, True, ["x"], {"a": 1})
    for given in bad:
        with pytest.raises(DataError, match="must be text or a whole number; leave it out for"):
            id_of(given)
    assert len(bad) == 6
