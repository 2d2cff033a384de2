from __future__ import annotations

from avatar_core.plural import counted


def test_only_one_stands_without_an_s() -> None:
    expected = {0: "0 rows", 1: "1 row", 2: "2 rows", 12345: "12,345 rows"}
    assert {number: counted(number, "row") for number in expected} == expected
