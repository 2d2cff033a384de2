from __future__ import annotations

from typing import Any

from avatar_core.reporting.differences import differing_settings


def test_settings_that_differ_are_told_by_their_dotted_names() -> None:
    first = {"out": "a", "seed": 0, "loss": {"beta": 0.1, "level": "token"}, "reward": {"w": [1]}}
    second = {"out": "b", "seed": 0, "loss": {"beta": 0.0, "level": "token"}, "data": "own.jsonl"}
    found = differing_settings([first, second, first])
    # `out` always differs; `data` and `reward.w` are in one of the two only, and so come last.
    assert [tuple(one) for one in found] == [
        ("loss.beta", (0.1, 0.0, 0.1)),
        ("data", (None, "own.jsonl", None)),
        ("reward.w", ([1], None, [1])),
    ]
    assert differing_settings([first, first]) == []


def test_what_cannot_be_set_against_each_other_is_left_out() -> None:
    run: dict[str, Any] = {"seed": 0}
    assert differing_settings([run, None]) == []
    assert differing_settings([run, {"seed": 1, "names": ["mmvu"]}]) == []
