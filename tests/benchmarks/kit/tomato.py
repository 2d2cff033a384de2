"""TOMATO in miniature: a file for each reasoning type or one for all, three to seven options."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas

from avatar_core.benchmarks.ids import content_id
from avatar_core.benchmarks.registry import Selection
from tests.benchmarks.kit import media
from tests.benchmarks.kit.case import Case

NAME = "tomato"
LAYOUTS = ("hub", "github", "lmms", "authors")


def row(
    motion: str, shown: str, key: str, question: str, options: str, answer: int
) -> dict[str, Any]:
    return {
        "question": question,
        "options": options.split("|"),
        "answer": answer,
        "key": key,
        "video_source_url": "",
        "motion_type": motion,
        "variation": {"composite": 0, "counterfactual": 1, "zoom": 0, "first_person": 0},
        "demonstration_type": shown,
        "note": "",
    }


# By reasoning type as the JSON files are named; within each the key of the row. The texts of the
# first question's options are numbers, which its answer, an index, must not be taken for. The key
# 0207-01 is that of two videos.
ROWS = {
    "count": {
        "0": row("count", "human", "0101-01", "How many claps?", "3|1|2|0|5", 1),
        "7": row("count", "object", "0207-01", "How many hops?", "2|3|4", 0),
    },
    "direction": {"0": row("direction", "human", "0207-01", "Which way?", "Left|Right|Both", 1)},
    "rotation": {
        "0": row("rotation", "simulated", "0311-02", "How does it turn?", "Left|Right|Not", 2)
    },
    "shape&trend": {
        "0": row("shape&trend", "object", "0400-03", "Which shape?", "O|S|U|V|W|X|Z", 6)
    },
    "velocity&frequency": {
        "0": row("velocity&frequency", "simulated", "0512-01", "How fast?", "Slower|Faster|Same", 0)
    },
    "visual_cues": {
        "0": row("visual cues", "human", "0601-01", "Who moved?", "She|He|They|No one", 3)
    },
}
VIDEOS = (
    "human/0101-01",
    "object/0207-01",
    "human/0207-01",
    "simulated/0311-02",
    "object/0400-03",
    "simulated/0512-01",
    "human/0601-01",
)


def write(root: Path, layout: str, *, reverse: bool = False) -> None:
    data = root / "data"
    data.mkdir(parents=True)
    for stem, rows in ROWS.items():
        ordered = dict(reversed(rows.items())) if reverse else rows
        if layout == "github":
            (data / f"{stem}.json").write_text(json.dumps(ordered))
        if layout == "hub":
            name = f"{stem.replace('&', '_')}-00000-of-00001.parquet"
            pandas.DataFrame(list(ordered.values())).to_parquet(data / name)
    flat = [{"id": key, **row} for rows in ROWS.values() for key, row in rows.items()]
    flat = flat[::-1] if reverse else flat
    if layout == "lmms":
        more = [
            {**row, "reason_type": row["motion_type"], "video_path": _path(row)} for row in flat
        ]
        pandas.DataFrame(more).to_parquet(data / "test-00000-of-00001.parquet")
    if layout == "authors":
        (root / "tomato.json").write_text(json.dumps([_processed(row) for row in flat]))
    for video in VIDEOS:
        if layout != "hub" or video != "human/0207-01":  # missing, though another has its name
            media.video(root / "videos" / f"{video}.mp4", sound=False)


def _path(row: dict[str, Any]) -> str:
    return f"{row['demonstration_type']}/{row['key']}.mp4"


def _processed(row: dict[str, Any]) -> dict[str, Any]:
    letters = "ABCDEFG"
    lines = [f"{letter}. {text}" for letter, text in zip(letters, row["options"], strict=False)]
    return {
        "question_id": f"{row['motion_type']}-{row['id']}",
        "question": row["question"],
        "processed_question": "\n".join([row["question"], *lines]),
        "answer": letters[row["answer"]],
        "video_path": f"videos/{_path(row)}",
    }


REPLIES = {
    "count/0": "1",  # text of the right option
    "count/7": "B",  # wrong
    "direction/0": "<answer>b</answer>",
    "rotation/0": "Answer is C",
    "shape_trend/0": "G",
    "velocity_frequency/0": "It cannot be decided.",
    "visual_cues/0": "(D) No one",
}


def hub_id(name: str) -> str:
    """Id of the row that has the id `name` in the JSON files."""
    kind, key = name.split("/")
    row = next(rows for stem, rows in ROWS.items() if stem.replace("&", "_") == kind)[key]
    return f"{kind}/{content_id(row['key'], row['question'], *row['options'])}"


GITHUB = Case(
    "github",
    Selection(),
    REPLIES,
    # 5 of 7: all but count/7, which is wrong, and velocity_frequency/0, which states nothing.
    headline=5 / 7,
    groups={
        "reasoning_type": {
            "count": 1 / 2,
            "direction": 1.0,
            "rotation": 1.0,
            "shape_trend": 1.0,
            "velocity_frequency": 0.0,
            "visual_cues": 1.0,
        },
        # human: count/0, direction/0, visual_cues/0. object: count/7 and shape_trend/0.
        # simulated: rotation/0 and velocity_frequency/0.
        "demonstration_type": {"human": 1.0, "object": 1 / 2, "simulated": 1 / 2},
    },
)
CASES = (
    GITHUB,
    Case("lmms", Selection(), REPLIES, headline=5 / 7, groups=GITHUB.groups),
    # Rows of the hub have no id: theirs is made of what they ask. The video of direction/0 is
    # missing, so that 4 of 7 are right.
    Case(
        "hub",
        Selection(),
        {hub_id(name): text for name, text in REPLIES.items() if name != "direction/0"},
        headline=4 / 7,
        groups={"demonstration_type": {"human": 2 / 3, "object": 1 / 2, "simulated": 1 / 2}},
    ),
    Case("github", Selection(subset="count"), {"count/0": "1", "count/7": "B"}, headline=1 / 2),
    # The authors' file says nothing of reasoning types; the folder tells the demonstration.
    Case(
        "authors",
        Selection(),
        {"count-0": "B", "shape&trend-0": "The answer is G.", "visual cues-0": "A"},
        headline=2 / 7,
        groups={"demonstration_type": {"human": 1 / 3, "object": 1 / 2, "simulated": 0.0}},
    ),
)
