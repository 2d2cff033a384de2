from __future__ import annotations

import json
import math
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar_core.rewards.clues import MAX_CLUES, read_boxes, read_clusters, read_events

BOX = (1.0, 2.0, 3.0, 4.0)
HOSTILE = [
    "",
    "[",
    "[" * 50_000,
    "[" * 40_000 + "]" * 40_000,
    '{"Frame1":' * 9_000 + "[]" + "}" * 9_000,
    "[]" * 50_000,
    '["' * 30_000,
    "<answer>[[" + "9" * 90_000 + ", 1]]</answer>",
    "[[1e999, 2]]",
    "[[NaN, 2]]",
    "[[1, 1e400]]",
    '{"Frame1": [[1e999, 0, 0, 0]]}',
    '{"Frame' + "9" * 5_000 + '": []}',
    '{"Frame1": [{"bbox": [1, 2, 3, 4], "label": "\ud800"}]}',
    "<answer>" * 12_000,
    "x" * 200_000,
    '[["\\ud800", 2]]',
]


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("12", 12.0),
        ("12.25", 12.25),
        ('"12.3"', 12.3),
        ('"12.3 s"', 12.3),
        ('"12.3s"', 12.3),
        ('" 12 sec "', 12.0),
        ('"12 Seconds"', 12.0),
        ('"1:05"', 65.0),
        ('"01:05.5"', 65.5),
        ('"75:10"', 4510.0),  # 75 minutes
        ('"1:02:03"', 3723.0),
        ('"10:00:00.25"', 36000.25),
        ("0", 0.0),
    ],
)
def test_times(written: str, seconds: float) -> None:
    assert read_events(f"[[{written}, 90000]]") == ((seconds, 90000.0),)


@pytest.mark.parametrize(
    "written",
    [
        "-1",
        "true",
        "null",
        "[1]",
        '""',
        '"soon"',
        '"-3"',
        '"1:75"',  # there is no second 75
        '"1:5"',
        '"1:75:10"',
        '"1:2:3:4"',
        '"12.3 m"',
        '"12.3 apples"',
        '"1,5"',
        '"1e3"',
        '"٣"',
        "1000001",
        '"1000001"',
        '"' + "0" * 41 + '"',
    ],
)
def test_what_is_no_time_makes_the_reply_unreadable(written: str) -> None:
    assert read_events(f"[[0, 1], [{written}, 2]]") is None


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("<answer>[[1, 2], [3, 4]]</answer>", ((1, 2), (3, 4))),
        ("<answer>```json\n[[1, 2]]\n```</answer>", ((1, 2),)),
        ("<answer>[]</answer>", ()),
        ("<think>[[8, 9]]</think><answer>[[1, 2]]</answer>", ((1, 2),)),
        ("<answer>[[8, 9]]</answer> no, <answer>[[1, 2]]</answer>", ((1, 2),)),
        ("<answer>[[1, 2]]", ((1, 2),)),
        ("It rings twice: [[1, 2], [3, 4]].", ((1, 2), (3, 4))),
        ('In the [noisy] part, "twice": [[1, 2]]', ((1, 2),)),
        ("[[1, 2]], that is [[1.0, 2.0]]", ((1, 2),)),
        (r"\[ [[1, 2]] \]", ((1, 2),)),
        ("[[5, 3]]", ((5, 3),)),  # stated so; it overlaps nothing
        # Two answers that differ, one that never ends, and forms that were not asked for.
        ("[[1, 2]] or [[1, 3]]", None),
        ("<think>[[1, 2]]", None),
        ("[[1, 2], [3,", None),
        ("[1, 2]", None),
        ("[[1, 2, 3]]", None),
        ("[[1], [2]]", None),
        ("[[1, 2], 3]", None),
        ('{"events": [[1, 2]]}', None),
        ('[{"start": 1, "end": 2}]', None),
        ("3", None),
        ("from 1 to 2", None),
        ("[['1', '2']]", None),  # no JSON
        ("[[1, 2],]", None),
        ('[1], "x": [[1, 2]]', ((1, 2),)),  # [1] states no events
    ],
)
def test_events(text: str, spans: tuple[tuple[float, float], ...] | None) -> None:
    assert read_events(text) == spans


@pytest.mark.parametrize(
    ("text", "boxes"),
    [
        ('<answer>{"Frame1": [[1, 2, 3, 4]], "Frame2": []}</answer>', ((1, BOX),)),
        ('{"Frame 1": [[1, 2, 3, 4]], "frame2": [[1, 2, 3, 4]]}', ((1, BOX), (2, BOX))),
        ('{"Frame3": [[1, 2, 3, 4], [5, 6, 7, 8]]}', ((3, BOX), (3, (5, 6, 7, 8)))),
        ('{"Frame3": [[1, 2], [3, 4]]}', ((3, BOX),)),  # points in pairs
        ('{"Frame3": [[1, 2], [3, 4], [5, 6], [7, 8]]}', ((3, BOX), (3, (5, 6, 7, 8)))),
        ('{"Frame1": [[3, 4, 1, 2]]}', ((1, (3, 4, 1, 2)),)),
        ('{"Frame1": [[1, 2, 3, 4]], "count": 1}', ((1, BOX),)),
        ('{"Frame1": [[-1, 2.5, 3, 4]]}', ((1, (-1, 2.5, 3, 4)),)),
        ('{"Frame1": []}', ()),
        ("{}", ()),
        ('{"Frame1": [[1, 2], [3, 4], [5, 6]]}', None),  # a point is left over
        ('{"Frame1": [[1, 2, 3, 4], [5, 6]]}', None),
        ('{"Frame1": [1, 2, 3, 4]}', None),
        ('{"Frame1": [[1, 2, 3]]}', None),
        ('{"Frame1": [["1", 2, 3, 4]]}', None),
        ('{"Frame1": [[true, 2, 3, 4]]}', None),
        ('{"Frame1": [[1, 2, 3, 1e7]]}', None),
        ('{"Frame1": null}', None),
        ('{"Frame1": [{"bbox": [1, 2, 3, 4], "label": "a"}]}', None),
        ('{"Frame one": [[1, 2, 3, 4]]}', None),
        ('{"Frame": [[1, 2, 3, 4]]}', None),
        ('{"Frame1": [[1, 2, 3, 4]], "Frame1": []}', None),  # which of the two?
        ('{"1": [[1, 2, 3, 4]]}', None),
        ("[[1, 2, 3, 4]]", None),
    ],
)
def test_boxes(text: str, boxes: tuple[object, ...] | None) -> None:
    assert read_boxes(text) == boxes


def labelled(*entries: str) -> str:
    return f'<answer>{{"Frame 1": [{", ".join(entries)}], "Frame2": []}}</answer>'


@pytest.mark.parametrize(
    ("text", "clusters"),
    [
        (labelled('{"bbox": [1, 2, 3, 4], "label": "red"}'), {"red": ((1, BOX),)}),
        (labelled('{"label": " red", "bbox_2d": [1, 2, 3, 4]}'), {"red": ((1, BOX),)}),
        (labelled('{"bbox": [1, 2, 3, 4], "label": 7}'), {"7": ((1, BOX),)}),
        (
            '{"Frame1": [{"bbox": [1, 2, 3, 4], "label": "a"}, {"bbox": [5, 6, 7, 8], "label": "b"}'
            '], "Frame2": [{"bbox": [1, 2, 3, 4], "label": "a"}]}',
            {"a": ((1, BOX), (2, BOX)), "b": ((1, (5, 6, 7, 8)),)},
        ),
        (labelled(), {}),
        (labelled('{"bbox": [1, 2, 3, 4]}'), None),
        (labelled('{"bbox": [1, 2, 3, 4], "label": null}'), None),
        (labelled('{"bbox": [1, 2, 3, 4], "label": true}'), None),
        (labelled('{"label": "red"}'), None),
        (labelled('{"bbox": [1, 2, 3, 4], "bbox_2d": [1, 2, 3, 4], "label": "red"}'), None),
        (labelled('{"bbox": [[1, 2], [3, 4]], "label": "red"}'), None),
        (labelled("[1, 2, 3, 4]"), None),
        ('{"Frame0x": [{"bbox": [1, 2, 3, 4], "label": "a"}]}', None),
        ("{'Frame1': [{'bbox': [1, 2, 3, 4], 'label': 'a'}]}", None),
    ],
)
def test_clusters(text: str, clusters: dict[str, object] | None) -> None:
    assert read_clusters(text) == clusters


def test_brackets_and_quotes_within_labels_do_not_end_the_json() -> None:
    label = 'a ] "b" } {\\'
    entry = json.dumps({"bbox": [1, 2, 3, 4], "label": label})
    assert read_clusters(f'So "{labelled(entry)}') == {label: ((1, BOX),)}


def test_more_clues_than_a_video_can_hold_are_none() -> None:
    spans = [[0, 1]] * MAX_CLUES
    assert read_events(json.dumps(spans)) == ((0, 1),) * MAX_CLUES
    assert read_events(json.dumps([*spans, [0, 1]])) is None
    boxes = [[1, 2, 3, 4]] * (MAX_CLUES // 2 + 1)
    assert read_boxes(json.dumps({"Frame1": boxes, "Frame2": boxes})) is None
    entries = [{"bbox": [1, 2, 3, 4], "label": str(n)} for n in range(MAX_CLUES + 1)]
    assert read_clusters(json.dumps({"Frame1": entries})) is None


def test_hostile_texts_are_answered_in_seconds() -> None:
    begun = time.perf_counter()
    for text in HOSTILE:
        assert read_events(text) in (None, ())
        assert not read_boxes(text)
        assert read_clusters(text) is None
    assert len(HOSTILE) == 17
    # A tenth of a second on one core; a quadratic rule takes minutes.
    assert time.perf_counter() - begun < 10


PIECES = st.sampled_from(
    [
        *'[]{},:" 12',
        "[[",
        "]]",
        "<answer>",
        "</answer>",
        "<think>",
        "</think>",
        '"Frame1": [',
        '{"bbox": [1,2,3,4], "label": "a"}',
        "[1,2,3,4]",
        "[1,2]",
        '"0:05"',
        "\\",
        "\ud800",
        "é",
    ]
)


@settings(max_examples=500, deadline=None)
@given(st.lists(PIECES, max_size=25).map("".join))
def test_any_text_gives_finite_clues_or_none(text: str) -> None:
    spans, boxes, clusters = read_events(text), read_boxes(text), read_clusters(text)
    numbers = [value for span in spans or () for value in span]
    numbers += [value for _, box in boxes or () for value in box]
    numbers += [value for placed in (clusters or {}).values() for _, box in placed for value in box]
    assert all(math.isfinite(value) and type(value) is float for value in numbers)
    # Each number is in the text, or a time made of what is.
    assert set(numbers) <= {1.0, 2.0, 3.0, 4.0, 5.0, 11.0, 12.0} | {
        float(n) for n in numbers if str(int(n)) in text
    }
