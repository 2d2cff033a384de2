from __future__ import annotations

import json
import math
from collections.abc import Sequence

import pytest

from avatar_core.errors import DataError
from avatar_core.evaluation.clue_scoring import score_clue


def gold(category: str, clue: object, times: Sequence[float] = ()) -> str:
    return json.dumps({"category": category, "clue": clue, "times": list(times)})


def test_events_from_reply_to_score() -> None:
    bells = gold("event", [{"start": 60, "end": 70}, {"start": "80.0", "end": 90}])
    assert score_clue('<answer>[["1:00", "1:10"], [80, 90]]</answer>', bells) == 1
    # One of two: √(1/2 · 1/2).
    assert score_clue('<answer>[["60 s", 70]]</answer>', bells) == pytest.approx(0.5)
    assert score_clue("<answer>[]</answer>", bells) == 0
    assert score_clue("<answer>2</answer>", bells) is None
    assert score_clue("", bells) is None


def test_frames_are_numbered_as_they_are_shown() -> None:
    # First appearance: 9.5 is Frame1, though 2.0 comes earlier in the video.
    clue = [
        {"timestamp": 9.5, "bbox": [0, 0, 2, 2]},
        {"timestamp": 2.0, "bbox": [0, 0, 2, 1]},
        {"timestamp": 9.5, "bbox": [8, 8, 9, 9]},
    ]
    cars = gold("object", clue, (9.5, 2.0))
    right = '{"Frame1": [[0, 0, 2, 2], [8, 8, 9, 9]], "Frame2": [[0, 0, 2, 1]]}'
    assert score_clue(right, cars) == 1
    # The boxes of the two frames exchanged. Frame 1: one of two boxes with IoU 1/2, √(1/4 · 1/2);
    # Frame 2: two instead of one.
    turned = '{"Frame2": [[0, 0, 2, 2], [8, 8, 9, 9]], "Frame1": [[0, 0, 2, 1]]}'
    assert score_clue(turned, cars) == pytest.approx(math.sqrt(1 / 8) / 2)
    assert score_clue("[[0, 0, 2, 2]]", cars) is None


def test_attributes_are_scored_over_all_clusters() -> None:
    # Indexing the outer list as if it were one clue is what the authors' script fails at.
    clue = [
        [{"timestamp": 4.0, "bbox": [0, 0, 2, 2]}],
        [{"timestamp": 4.0, "bbox": [8, 8, 9, 9]}, {"timestamp": 7.0, "bbox": [0, 0, 2, 2]}],
    ]
    shirts = gold("attribute", clue, (4.0, 7.0))
    reply = {
        "Frame 1": [
            {"bbox": [8, 8, 9, 9], "label": "green"},
            {"bbox_2d": [0, 0, 2, 1], "label": "red"},
        ],
        "Frame 2": [],
    }
    # First cluster with "red": √(1/2). Second with "green": frame 1 right, frame 2 empty: 1/2.
    found = score_clue(f"<answer>{json.dumps(reply)}</answer>", shirts)
    assert found == pytest.approx((math.sqrt(0.5) + 0.5) / 2)
    assert score_clue("<answer>{}</answer>", shirts) == 0
    assert score_clue('{"Frame 1": [{"label": "red"}]}', shirts) is None


def test_unknown_categories_are_refused() -> None:
    with pytest.raises(DataError, match="'action' is not known"):
        score_clue("[]", gold("action", []))
