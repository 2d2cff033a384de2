"""A miniature CG-AV-Counting: seven questions about five videos of one second."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pandas

from avatar_core.benchmarks.registry import Selection
from tests.benchmarks.kit import media
from tests.benchmarks.kit.case import Case

NAME = "cg_av_counting"
LAYOUTS = ("hub", "authors", "table")


def _row(
    index: int, video: str, answer: object, category: str, kind: str, clue: Any
) -> dict[str, Any]:
    return {
        "index": index,
        "video": video,
        "question": f"How often does number {index} come?",
        "answer": answer,
        "category": category,
        "type": kind,
        "query_interval": [0.0, 0.75] if index % 2 else [0.125, 1],
        "clue": clue,
    }


def _box(timestamp: float, *corners: float) -> dict[str, Any]:
    return {"timestamp": timestamp, "bbox": list(corners)}


ROWS = (
    _row(41, "Q1w2E3.mp4", 2, "event", "AV", [
        {"start": 0.0, "end": 0.2}, {"start": 0.5, "end": 0.7},
    ]),
    _row(42, "Q1w2E3.mp4", "3", "event", "A", [{"start": 0.25, "end": 0.75}]),
    # Named out of their order in time, one of them twice: Frame1 is the moment 0.75.
    _row(7, "zz.9-b.mp4", 3, "object", "V2A", [
        _box(0.75, 0, 0, 20, 20), _box(0.25, 10, 10, 30, 30), _box(0.75, 40, 40, 50, 50),
    ]),
    _row(8, "r5T6y7.mp4", 2, "attribute", "AV", [
        [_box(0.5, 0, 0, 20, 20), _box(0.0, 0, 0, 20, 20)], [_box(0.0, 40, 40, 60, 60)],
    ]),
    _row(9, "r5T6y7.mp4", 12, "event", "A2V", [{"start": 0.1, "end": 0.3}]),
    _row(10, "gone.mp4", 1, "object", "V", [_box(0.5, 1, 2, 3, 4)]),
    _row(11, "u8I9o0.mp4", 150, "event", "V", [{"start": 0, "end": 1}]),
)  # fmt: skip


def _clip(row: dict[str, Any]) -> str:
    start, end = row["query_interval"]
    return f"{row['video'].removesuffix('.mp4')}_{start:.2f}_{end:.2f}.mp4"


def write(root: Path, layout: str, *, reverse: bool = False) -> None:
    """Write the data set: the hub's tree, the authors' folders, or a table of JSON texts.

    In the hub's tree the video of question 10 is missing.
    """
    rows = [dict(row) for row in (reversed(ROWS) if reverse else ROWS)]
    root.mkdir(parents=True, exist_ok=True)
    if layout == "authors":
        for row in rows:
            row["question_en"] = row.pop("question")
    if layout == "table":
        for row in rows:
            row.update(clue=json.dumps(row["clue"]), answer=str(row["answer"]))
        pandas.DataFrame(rows).to_parquet(root / "test-00000-of-00001.parquet")
    else:
        name = "cg-av-counting.json" if layout == "hub" else "counting.json"
        (root / name).write_text(json.dumps(rows), encoding="utf-8")
    folders = {"hub": ("cg_videos_720p", "ref_videos"), "authors": (".", "clips")}
    videos, clips = folders.get(layout, ("videos", "ref_videos"))
    for row in rows:
        if layout != "hub" or row["index"] != 10:
            media.video(root / videos / row["video"], sound=row["type"] != "V")
            media.video(root / clips / _clip(row), sound=row["type"] != "V")


COUNTS = {
    "41": "2",  # e = 0
    "42": "<think>One, two, three, four.</think><answer>4</answer>",  # e = 1
    "7": "There are three.",  # e = 0
    "8": "I cannot tell.",  # no number: counts as 0, e = 2, neither right nor off by one
    "9": "1,000",  # e = 988 > 100: c = 2 · 12 = 24
    # 10 is missing: counts as 0, e = 1, neither right nor off by one
    "11": "20",  # e = 130, within 2 · 150
}
"""Right are 41 and 7; off by one at most 41, 42 and 7; numbers are stated in 41, 42, 7, 9, 11.
The errors are 0, 1, 0, 2, 24, 1, 130."""
COUNT_FIGURES = {
    "oboa": 3 / 7,
    "mae": 158 / 7,
    "rmse": math.sqrt((1 + 4 + 576 + 1 + 16900) / 7),
    "counted": 5.0,
}
COUNT_GROUPS = {
    "category": {"event": 1 / 4, "object": 1 / 2, "attribute": 0.0},
    "type": {"AV": 1 / 2, "A": 0.0, "V2A": 1.0, "A2V": 0.0, "V": 0.0},
}

CLUES = {
    # One of two events: √(1/2 · 1/2) = 1/2.
    "41": '<answer>[["0:00.0", "0.2 s"]]</answer>',
    # Overlap 0.25 of 0.75 s: √(1/3).
    "42": "<answer>[[0.0, 0.5]]</answer>",
    # Frame1: one of two, √(1/2 · 1/2) = 1/2. Frame2 right: 1. Mean 3/4.
    "7": '<answer>{"Frame1": [[0, 0, 20, 20]], "Frame2": [[30, 30], [10, 10]]}</answer>',
    # Frame1 is 0.5, Frame2 is 0.0. "a" with the first cluster: Frame1 right, Frame2 empty: 1/2.
    # "b" with the second: half of its box, √(1/2).
    "8": (
        '{"Frame 1": [{"bbox": [0, 0, 20, 20], "label": "a"}], '
        '"Frame 2": [{"bbox_2d": [40, 40, 60, 50], "label": "b"}]}'
    ),
    "9": "<answer>[[0.1, 0.3], [0.1, 0.3]]</answer>",  # two for one: no credit left
    # 10 is missing.
    "11": "<answer>once, at the start</answer>",  # not to be read
}
CLUE_FIGURES = {
    "wcs": (0.5 + math.sqrt(1 / 3) + 0.75 + (0.5 + math.sqrt(0.5)) / 2) / 7,
    "ifa": 5 / 7,
}
"""The scores of 41, 42, 7 and 8 over all seven; read are 41, 42, 7, 8 and 9."""
CASES = (
    Case("hub", Selection(), COUNTS, 2 / 7, COUNT_FIGURES, COUNT_GROUPS),
    Case("hub", Selection(mode="ref"), COUNTS, 2 / 7, COUNT_FIGURES, COUNT_GROUPS),
    Case("hub", Selection(mode="clue"), CLUES, CLUE_FIGURES["wcs"], CLUE_FIGURES),
    Case("authors", Selection(mode="ref"), COUNTS, 2 / 7, COUNT_FIGURES, COUNT_GROUPS),
    Case("table", Selection(mode="long"), COUNTS, 2 / 7, COUNT_FIGURES, COUNT_GROUPS),
    Case("table", Selection(mode="clue"), CLUES, CLUE_FIGURES["wcs"], CLUE_FIGURES),
)
