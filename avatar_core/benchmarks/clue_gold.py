"""The annotated clues of a counting question, checked and written as the gold of its item."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from avatar_core.benchmarks.annotations import Row
from avatar_core.benchmarks.fields import number
from avatar_core.errors import DataError
from avatar_core.strict_json import RowDecoder

CATEGORIES = ("event", "object", "attribute")
"""What is counted: spans of time, objects in frames, or kinds of objects."""
MAX_CLUES = 1000
"""Spans or boxes of one question; each box may show a frame of its own."""


class ClueGold(NamedTuple):
    """What a reply about clues is compared with."""

    text: str
    """JSON of `category`, `clue` and `times`."""
    times: tuple[float, ...]
    """Moments of the frames that are shown, in the order in which the clues name them first."""


def clue_gold(row: Row, category: str) -> ClueGold:
    """The clues of a row.

    Args:
        row: its `clue` is a list, or the JSON text of one: {"start", "end"} of each event;
            {"timestamp", "bbox"} of each object; of attributes one such list for each cluster.
        category: one of `CATEGORIES`.

    Raises:
        DataError: a clue is missing or is not of that form, or there are more than `MAX_CLUES`.
    """
    clues = _entries(structure(row, "clue"), f"{row.place}: clue")
    listed = [cluster.fields.get("clue") for cluster in clues] if category == "attribute" else []
    if len(clues) + sum(len(boxes) for boxes in listed if isinstance(boxes, list)) > MAX_CLUES:
        raise DataError(f"{row.place}: clue: has more than {MAX_CLUES} entries; mend the row")
    if category == "event":
        return _gold(category, [_event(clue) for clue in clues], [])
    if category == "object":
        boxes = [_box(clue) for clue in clues]
        return _gold(category, boxes, boxes)
    clusters = [
        [_box(clue) for clue in _entries(cluster.fields.get("clue"), cluster.place)]
        for cluster in clues
    ]
    return _gold(category, clusters, [box for cluster in clusters for box in cluster])


def structure(row: Row, key: str) -> Any:
    """A field that is a list or an object, or the JSON text of one, as tables have it.

    Raises:
        DataError: the text is not JSON.
    """
    value = row.fields.get(key)
    if not isinstance(value, str):
        return value
    # The decoder takes objects alone, so the value is made a field of one.
    content = RowDecoder().line(f'{{"{key}":{value}}}'.encode("utf-8", "surrogatepass"))
    if isinstance(content, DataError):
        raise DataError(f"{row.place}: {key}: {content}")
    return content[key]


def _gold(category: str, clues: list[Any], boxes: list[dict[str, Any]]) -> ClueGold:
    times = tuple(dict.fromkeys(box["timestamp"] for box in boxes))
    text = json.dumps({"category": category, "clue": clues, "times": times})
    return ClueGold(text, times)


def _entries(value: Any, place: str) -> list[Row]:
    """The entries of a list as rows; one that is no object is the field `clue` of its row."""
    if not isinstance(value, list):
        raise DataError(f"{place} must be a list; mend the row")
    return [
        Row(f"{place} {count}", clue if isinstance(clue, dict) else {"clue": clue})
        for count, clue in enumerate(value, start=1)
    ]


def _event(clue: Row) -> dict[str, float]:
    return {"start": number(clue, "start"), "end": number(clue, "end")}


def _box(clue: Row) -> dict[str, Any]:
    time, corners = number(clue, "timestamp"), clue.fields.get("bbox")
    if time < 0 or not isinstance(corners, list) or len(corners) != 4:
        raise DataError(
            f"{clue.place}: needs a timestamp from 0 and a bbox of four numbers; mend the row"
        )
    box = [number(Row(clue.place, {"bbox": corner}), "bbox") for corner in corners]
    return {"timestamp": time, "bbox": box}
