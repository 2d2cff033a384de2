"""Reading the clues of a counting answer: spans of events, boxes of objects, clusters of boxes.

A reply states clues as JSON. What is not exactly of the asked form is no clue: nothing is mended,
skipped or completed.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

from avatar_core.rewards.answer import answer_text
from avatar_core.strict_json import RowDecoder

Span: TypeAlias = "tuple[float, float]"
"""First and last second of an event."""
Box: TypeAlias = "tuple[float, float, float, float]"
"""Two opposite corners, x and y each, as the reply gives them."""
Placed: TypeAlias = "tuple[int, Box]"
"""Number of a frame, from 1, and a box in it."""

MAX_CHARACTERS = 100_000
"""A longer reply states nothing."""
MAX_CLUES = 1_000
"""Neither does one with more spans or boxes than this."""
MAX_TIME_CHARACTERS = 40
"""A time written with more than this is none."""
MAX_VALUE = 1e6
"""Nor one with a greater time or coordinate."""
_STRUCTURE = re.compile(r'[\[\]{}"]|\\.', re.DOTALL)
_SECONDS = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(?:s|secs?|seconds?)?", re.IGNORECASE)
_CLOCK = re.compile(r"(?:([0-9]+):(?=[0-5][0-9]:))?([0-9]+):([0-5][0-9](?:\.[0-9]+)?)")
_FRAME = re.compile(r"frame\s*([0-9]{1,6})", re.IGNORECASE)
T = TypeVar("T")


def read_events(text: str) -> tuple[Span, ...] | None:
    """Read `[[start, end], ...]`.

    A time is a number of seconds, or a text such as "12.3", "12.3 s", "1:05.5" or "1:02:03".

    Args:
        text: generated text, without the prompt.

    Returns:
        The spans in the order given, perhaps none; `None` when the reply does not state them.

    >>> read_events('<answer>[["0:05", "7.5 s"]]</answer>')
    ((5.0, 7.5),)
    """
    return _stated(text, _events)


def read_boxes(text: str) -> tuple[Placed, ...] | None:
    """Read `{"Frame1": [[x1, y1, x2, y2], ...], "Frame 2": [], ...}`.

    The boxes of a frame may also be pairs of points `[[x1, y1], [x2, y2], ...]`. Keys that name no
    frame are passed over unless there are no others.

    Args:
        text: generated text, without the prompt.

    Returns:
        The boxes with the numbers of their frames; `None` when the reply does not state them.
    """
    return _stated(text, _boxes)


def read_clusters(text: str) -> dict[str, tuple[Placed, ...]] | None:
    """Read `{"Frame 1": [{"bbox": [x1, y1, x2, y2], "label": "red"}, ...], ...}`.

    `bbox_2d` is the same as `bbox`. Keys that name no frame are passed over unless there are no
    others.

    Args:
        text: generated text, without the prompt.

    Returns:
        The boxes by label; `None` when the reply does not state them.
    """
    return _stated(text, _clusters)


def _stated(text: str, read: Callable[[Any], T | None]) -> T | None:
    """What the only readable JSON of the answer says; `None` when there are two that differ."""
    if len(text) > MAX_CHARACTERS:
        return None
    found = [clues for value in _values(answer_text(text)) if (clues := read(value)) is not None]
    return found[0] if found and all(clues == found[0] for clues in found) else None


def _values(text: str) -> Iterator[Any]:
    """The outermost arrays and objects of a text that are sound JSON, in order."""
    decoder = RowDecoder()
    for part in _outermost(text):
        # The decoder takes objects alone, so the value is made a field of one.
        content = decoder.line(f'{{"clues":{part}}}'.encode("utf-8", "surrogatepass"))
        if isinstance(content, Mapping) and content.keys() == {"clues"}:
            yield content["clues"]


def _outermost(text: str) -> Iterator[str]:
    """The parts of a text from an opening bracket to the one that closes it."""
    depth, start, quoted = 0, 0, False
    for match in _STRUCTURE.finditer(text):
        mark = match.group()
        if mark == '"':
            quoted = depth > 0 and not quoted
        elif not quoted and mark in "[{":
            start = start if depth else match.start()
            depth += 1
        elif not quoted and mark in "]}" and depth:
            depth -= 1
            if not depth:
                yield text[start : match.end()]


def _events(value: Any) -> tuple[Span, ...] | None:
    return _whole([_span(entry) for entry in value]) if isinstance(value, list) else None


def _span(entry: Any) -> Span | None:
    if not isinstance(entry, list) or len(entry) != 2:
        return None
    start, end = (_time(value) for value in entry)
    return None if start is None or end is None else (start, end)


def _time(value: Any) -> float | None:
    """Seconds of a time; `None` for what is no time."""
    if not isinstance(value, str):
        seconds = _coordinate(value)
        return None if seconds is None or seconds < 0 else seconds
    plain = value.strip()
    if len(plain) > MAX_TIME_CHARACTERS:
        return None
    if match := _SECONDS.fullmatch(plain):
        return _coordinate(float(match[1]))
    if match := _CLOCK.fullmatch(plain):
        return _coordinate(3600.0 * int(match[1] or 0) + 60 * int(match[2]) + float(match[3]))
    return None


def _boxes(value: Any) -> tuple[Placed, ...] | None:
    frames = _frames(value)
    if frames is None:
        return None
    placed = [
        None if box is None else (frame, box)
        for frame, entries in frames
        for box in _frame_boxes(entries)
    ]
    return _whole(placed)


def _frame_boxes(entries: Sequence[Any]) -> list[Box | None]:
    """The boxes of one frame, which its entries are, or of which they are corners in turn."""
    points = all(isinstance(entry, list) and len(entry) == 2 for entry in entries)
    if not points:
        return [_box(entry) for entry in entries]
    if len(entries) % 2:
        return [None]
    return [_box(a + b) for a, b in zip(entries[::2], entries[1::2], strict=True)]


def _clusters(value: Any) -> dict[str, tuple[Placed, ...]] | None:
    frames = _frames(value)
    if frames is None:
        return None
    found: defaultdict[str, list[Placed]] = defaultdict(list)
    for frame, entries in frames:
        for entry in entries:
            labelled = _labelled(entry)
            if labelled is None:
                return None
            found[labelled[0]].append((frame, labelled[1]))
    if sum(map(len, found.values())) > MAX_CLUES:
        return None
    return {label: tuple(boxes) for label, boxes in found.items()}


def _labelled(entry: Any) -> tuple[str, Box] | None:
    if not isinstance(entry, Mapping) or ("bbox" in entry) == ("bbox_2d" in entry):
        return None
    label, box = entry.get("label"), _box(entry.get("bbox", entry.get("bbox_2d")))
    if box is None or isinstance(label, bool) or not isinstance(label, str | int):
        return None
    return str(label).strip(), box


def _frames(value: Any) -> list[tuple[int, list[Any]]] | None:
    """Number and entries of every frame; `None` when a frame has no number or no list."""
    if not isinstance(value, Mapping):
        return None
    named = {key: entries for key, entries in value.items() if "frame" in key.casefold()}
    numbers = [_FRAME.fullmatch(key.strip()) for key in named]
    if (value and not named) or not all(isinstance(entries, list) for entries in named.values()):
        return None
    frames = [(int(n[1]), entries) for n, entries in zip(numbers, named.values(), strict=True) if n]
    return frames if len(frames) == len(named) else None


def _box(value: Any) -> Box | None:
    if not isinstance(value, list) or len(value) != 4:
        return None
    x, y, x2, y2 = (_coordinate(number) for number in value)
    if x is None or y is None or x2 is None or y2 is None:
        return None
    return x, y, x2, y2


def _coordinate(value: Any) -> float | None:
    """A plain number within `MAX_VALUE`."""
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > MAX_VALUE:
        return None
    return float(value)


def _whole(entries: Sequence[T | None]) -> tuple[T, ...] | None:
    """All entries, or `None` when one of them is missing or there are too many."""
    present = tuple(entry for entry in entries if entry is not None)
    return present if len(present) == len(entries) <= MAX_CLUES else None
