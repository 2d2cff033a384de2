from __future__ import annotations

import json
from typing import Any

import pytest

from avatar_core.benchmarks import clue_gold as module
from avatar_core.benchmarks.annotations import Row
from avatar_core.benchmarks.clue_gold import clue_gold, structure
from avatar_core.errors import DataError


def row(clue: Any) -> Row:
    return Row("list.json: row 3", {"clue": clue})


def test_events_are_numbers_and_show_no_frames() -> None:
    found = clue_gold(row([{"start": "1.5", "end": 2, "timestamp": None}]), "event")
    assert json.loads(found.text) == {
        "category": "event",
        "clue": [{"start": 1.5, "end": 2.0}],
        "times": [],
    }
    assert found.times == ()


def test_times_are_in_the_order_in_which_clues_name_them() -> None:
    boxes = [{"timestamp": t, "bbox": [1, 2, 3, 4]} for t in (9, 2.5, 9.0, 4)]
    found = clue_gold(row(boxes), "object")
    assert found.times == (9.0, 2.5, 4.0)
    assert json.loads(found.text)["times"] == [9.0, 2.5, 4.0]
    # The same as JSON text, and in clusters.
    assert clue_gold(row(json.dumps(boxes)), "object") == found
    clusters = clue_gold(row([boxes[1:], boxes[:1]]), "attribute")
    assert clusters.times == (2.5, 9.0, 4.0)
    assert [len(cluster) for cluster in json.loads(clusters.text)["clue"]] == [3, 1]


@pytest.mark.parametrize(
    ("category", "clue", "reason"),
    [
        ("event", None, "clue must be a list"),
        ("event", [{"start": 1}], "clue 1: end is missing"),
        ("event", [{"start": 1, "end": "late"}], "clue 1: end must be a number"),
        ("event", [[1, 2]], "clue 1: start is missing"),
        ("object", [{"bbox": [1, 2, 3, 4]}], "clue 1: timestamp is missing"),
        ("object", [{"timestamp": 1, "bbox": [1, 2, 3]}], "a bbox of four numbers"),
        ("object", [{"timestamp": -1, "bbox": [1, 2, 3, 4]}], "a timestamp from 0"),
        ("object", [{"timestamp": 1, "bbox": [1, 2, 3, "x"]}], "bbox must be a number"),
        ("attribute", [{"timestamp": 1, "bbox": [1, 2, 3, 4]}], "clue 1 must be a list"),
        ("attribute", [[], [{"timestamp": 1}]], "clue 2 1: needs a timestamp"),
        ("event", "[1, 2", "clue: not valid JSON"),
        ("event", "[NaN]", "clue: not valid JSON"),
        ("event", '[], "clue": []', "clue: not valid JSON"),
    ],
)
def test_bad_clues_name_their_place(category: str, clue: Any, reason: str) -> None:
    with pytest.raises(DataError) as caught:
        clue_gold(row(clue), category)
    assert str(caught.value).startswith("list.json: row 3: ")
    assert reason in str(caught.value)


@pytest.mark.parametrize("category", ["event", "object", "attribute"])
def test_the_number_of_clues_has_a_limit(category: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_CLUES", 4)
    box = {"timestamp": 1, "bbox": [1, 2, 3, 4]}
    # One cluster of three boxes is four entries, as are four spans or boxes.
    enough: dict[str, list[Any]] = {
        "event": [{"start": 1, "end": 2}] * 4,
        "object": [box] * 4,
        "attribute": [[box] * 3],
    }
    more = {**{name: clues + clues[:1] for name, clues in enough.items()}, "attribute": [[box] * 4]}
    assert clue_gold(row(enough[category]), category).text
    with pytest.raises(DataError, match="row 3: clue: has more than 4 entries"):
        clue_gold(row(more[category]), category)


def test_structures_are_given_or_written_as_json() -> None:
    assert structure(Row("", {"interval": [1, 2]}), "interval") == [1, 2]
    assert structure(Row("", {"interval": " [1, 2] "}), "interval") == [1, 2]
    assert structure(Row("", {}), "interval") is None
