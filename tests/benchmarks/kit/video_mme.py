"""Video-MME in miniature: three videos, options with letters, the table by rows or by columns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas

from avatar_core.benchmarks.registry import Selection
from tests.benchmarks.kit import media
from tests.benchmarks.kit.case import Case

NAME = "video_mme"
LAYOUTS = ("hub", "authors", "jsonl")

SHORT = {"video_id": "001", "duration": "short", "domain": "Knowledge", "videoID": "-kQ2xW_9aLm"}
MEDIUM = {
    "video_id": "002",
    "duration": "medium",
    "domain": "Life Record",
    "videoID": "0123456789A",
}
LONG = {"video_id": "003", "duration": "long", "domain": "Multilingual", "videoID": "Zz-Top_00.1"}


def row(
    video: dict[str, str], number: int, task: str, question: str, options: str, answer: str
) -> dict[str, Any]:
    return {
        **video,
        "sub_category": "Geography" if video is SHORT else "Cooking",
        "url": f"https://video.example/{video['videoID']}",
        "question_id": f"{video['video_id']}-{number}",
        "task_type": task,
        "question": question,
        "options": [
            f"{letter}. {text}" for letter, text in zip("ABCD", options.split("|"), strict=True)
        ],
        "answer": answer,
    }


ROWS = [
    row(SHORT, 1, "Counting Problem", "How many kites fly?", "One.|Two.|Three.|Four.", "C"),
    row(SHORT, 2, "OCR Problems", "What is on the sign?", "Exit|Open|Closed|Vitamin A", "D"),
    row(SHORT, 3, "Counting Problem", "How many dogs bark?", "None|One|Two|Three", "A"),
    row(MEDIUM, 1, "Action Recognition", "What is cut?", "Bread|Paper|Wood|Cheese", "B"),
    row(MEDIUM, 2, "Object Reasoning", "Why is the pan hot?", "Fire|Sun|Steam|Oil", "A"),
    row(LONG, 1, "Information Synopsis", "What is it about?", "Tea|Rice|Salt|Figs", "B"),
]


def write(root: Path, layout: str, *, reverse: bool = False) -> None:
    rows = ROWS[::-1] if reverse else ROWS
    if layout == "hub":
        folder = root / "videomme"
        folder.mkdir(parents=True)
        pandas.DataFrame(rows).to_parquet(folder / "test-00000-of-00001.parquet")
        for video in (SHORT, MEDIUM):  # the long one is missing
            media.video(root / "data" / f"{video['videoID']}.mp4")
        return
    root.mkdir(parents=True, exist_ok=True)
    if layout == "authors":
        columns = {name: [row[name] for row in rows] for name in rows[0]}
        (root / "videomme.json").write_text(json.dumps(columns))
        for video, suffix in ((SHORT, ".mp4"), (MEDIUM, ".MP4"), (LONG, ".mkv")):
            media.video(root / f"{video['videoID']}{suffix}")
        return
    (root / "videomme.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for video in (SHORT, MEDIUM, LONG):
        media.video(root / "video" / f"{video['videoID']}.mp4")


REPLIES = {
    "001-1": "The answer is C.",
    "001-2": "<think>Exit, A? No.</think><answer>D. Vitamin A</answer>",
    "001-3": "B",  # wrong
    "002-1": "b",
    "002-2": "I cannot tell.",  # states nothing
}
CASES = (
    # 3 of 6; the long video is missing, or has no reply: wrong.
    Case(
        "hub",
        Selection(),
        REPLIES,
        headline=0.5,
        groups={
            "duration": {"short": 2 / 3, "medium": 1 / 2, "long": 0.0},
            "domain": {"Knowledge": 2 / 3, "Life Record": 1 / 2, "Multilingual": 0.0},
            "sub_category": {"Geography": 2 / 3, "Cooking": 1 / 3},
            "task_type": {
                "Counting Problem": 1 / 2,
                "OCR Problems": 1.0,
                "Action Recognition": 1.0,
                "Object Reasoning": 0.0,
                "Information Synopsis": 0.0,
            },
        },
    ),
    # 4 of 6.
    Case(
        "authors",
        Selection(),
        {**REPLIES, "003-1": "(B) Rice"},
        headline=2 / 3,
        groups={"duration": {"short": 2 / 3, "medium": 1 / 2, "long": 1.0}},
    ),
    Case("jsonl", Selection(), {**REPLIES, "003-1": "Rice"}, headline=2 / 3),
)
