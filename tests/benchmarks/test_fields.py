"""Tests of benchmarks/fields.py: kinds of fields, keys in order, messages that name the row."""

from __future__ import annotations

import math
from typing import Any

import pytest

from avatar_core.benchmarks.annotations import Row
from avatar_core.benchmarks.fields import (
    MAX_CHARACTERS,
    number,
    optional_number,
    optional_text,
    raw,
    text,
    texts,
)
from avatar_core.errors import DataError


def row(**fields: Any) -> Row:
    return Row("qa.json: row 3", fields)


def test_the_first_key_that_is_there_counts() -> None:
    given = row(a=None, b="two", c="three")
    assert text(given, "a", "b", "c") == optional_text(given, "x", "b") == "two"
    assert texts(row(a=None, b=["x"]), "a", "b") == ("x",)
    assert number(row(a=None, b="4"), "a", "b") == 4.0
    assert Row("x", {"question type": "SR"}).fields["question type"] == "SR"


def test_numbers_are_texts_too_and_spaces_stay() -> None:
    assert [text(row(a=value), "a") for value in (7, 2.5, " x ")] == ["7", "2.5", " x "]
    assert texts(row(a=["x", 3]), "a") == ("x", "3")
    assert texts(row(a="x"), "a") == ("x",)


def test_what_may_be_absent() -> None:
    for given in (row(), row(a=None)):
        assert (optional_text(given, "a"), optional_number(given, "a")) == (None, None)
        assert texts(given, "a") == ()
    assert optional_text(row(a=" \n"), "a") is None
    assert optional_number(row(a=" "), "a") is None


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "a or b is missing; mend the row"),
        ({"b": "  "}, "b is blank; mend the row"),
        ({"a": True}, "a must be text, found bool"),
        ({"a": ["x"]}, "a must be text, found list"),
        ({"a": {"x": 1}}, "a must be text, found dict"),
        ({"b": b"x"}, "b must be text, found bytes"),
        ({"a": "x" * (MAX_CHARACTERS + 1)}, "a has 100001 characters, more than 100000"),
    ],
)
def test_a_text_that_is_none_is_named_with_its_row(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError) as caught:
        text(row(**fields), "a", "b")
    assert str(caught.value) == f"qa.json: row 3: {message}"


@pytest.mark.parametrize("value", [{"x": 1}, [["x"]], [None], [True], 1 + 2j])
def test_what_is_no_list_of_texts_is_refused(value: object) -> None:
    with pytest.raises(DataError, match="qa.json: row 3: a must be text, found"):
        texts(row(a=value), "a")


def test_numbers() -> None:
    assert [number(row(a=value), "a") for value in (3, 2.5, "-1e2", " 7 ")] == [3, 2.5, -100, 7]
    refused = [True, "x", "1,5", math.nan, math.inf, "inf", [1], {}, 10**400, "9" * 400]
    for value in refused:
        with pytest.raises(DataError, match=r"row 3: a must be a number, found '"):
            optional_number(row(a=value), "a")
    assert len(refused) == 10
    with pytest.raises(DataError, match="row 3: a or b is missing; give a number"):
        number(row(), "a", "b")


def test_the_record_is_kept_without_its_media() -> None:
    given = row(
        id=1, audio={"bytes": b"x", "path": "a"}, image=b"x", parts=[{"bytes": b"x"}], tags=["t"]
    )
    assert raw(given) == {"id": 1, "tags": ["t"]}
