"""A miniature Video-MMMU: nine questions about five lectures of one second."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow
from pyarrow import parquet

from avatar_core.benchmarks.registry import Selection
from tests.benchmarks.kit import media
from tests.benchmarks.kit.case import Case

NAME = "video_mmmu"
LAYOUTS = ("hub", "github")
FOLDERS = {
    "validation_Basic_Medical_Science_9": "Medicine",
    "dev_Art_Theory_2": "Art",
    "test_Math_31": "Science",
    "new_Finance_4": "Business",
    "test_Music_5": "Art",
}
"""Discipline of each lecture; the last one's video is missing in the hub's tree."""
SHAPES = [f"shape {number}" for number in range(1, 15)]


def _row(
    name: str, question: str, options: list[str], answer: str, kind: str | None
) -> dict[str, Any]:
    return {
        "id": name,
        "question": question,
        "options": options,
        "answer": answer,
        "question_type": kind,
    }


ROWS: dict[str, tuple[dict[str, Any], ...]] = {
    "Perception": (
        _row("dev_Art_Theory_2", "Which colour is named first?", ["Ochre", "Umber", "Sienna"], "C",
             "perception"),
        _row("test_Math_31", "Which shape is drawn last?", SHAPES, "N", "multiple-choice"),
    ),
    "Comprehension": (
        # The same lecture as above: an id is unique within its track only.
        _row("dev_Art_Theory_2", "Why is it named first?", ["A. Age", "B. Price"], "B",
             "multiple-choice"),
        _row("new_Finance_4", "What grows?", ["Both rent and wage", "Rent"], "A",
             "multiple-choice"),
    ),
    "Adaptation": (
        _row("validation_Basic_Medical_Science_9", "<image 1> Which part is marked?",
             ["Valve", "Wall", "Node", "Root"], "B", "multiple-choice"),
        # Options that are letters themselves, and not in order: the gold is the letter in front.
        _row("dev_Art_Theory_2", "<image 1> Which panel is older?", ["C", "A", "B"], "A",
             "multiple-choice"),
        _row("test_Math_31", "<image 1> What is the mean?", [], "['24/8', '3.0', '3]", "open"),
        _row("new_Finance_4", "<image 1> Name the rate.", [], "7 percent", "open"),
        _row("test_Music_5", "<image 1> Which key?", ["D minor", "E flat"], "A", None),
    ),
}  # fmt: skip


def write(root: Path, layout: str, *, reverse: bool = False) -> None:
    """Write the data set: Parquet files with pictures inside, or the JSON files of the repository.

    In the hub's tree one lecture is missing; the JSON files name no type outside Adaptation and
    hold no picture.
    """
    for track, given in ROWS.items():
        rows = [dict(row) for row in (reversed(given) if reverse else given)]
        if layout == "hub":
            _write_table(root / track / "test-00000-of-00001.parquet", track, rows)
        else:
            _write_document(root / "data" / f"{track.lower()}_video.json", track, rows)
    for name, folder in FOLDERS.items():
        if layout != "hub" or name != "test_Music_5":
            media.video(root / folder / f"{name}.mp4")
    for row in ROWS["Adaptation"]:
        media.video(root / "question_only" / f"{row['id']}_image.mp4", sound=False)


def _write_table(path: Path, track: str, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        if track == "Adaptation":
            row["image"] = {"bytes": media.image_bytes(), "path": f"{row['id']}.png"}
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pyarrow.Table.from_pylist(rows), path)


def _write_document(path: Path, track: str, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        row["link_selected"] = f"clip {row['id']}"
        if track != "Adaptation":
            del row["question_type"]
    numbered = {str(number): row for number, row in enumerate(rows)}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({track: numbered}), encoding="utf-8")


REPLIES = {
    "perception/dev_Art_Theory_2": "C. Sienna",  # right
    "perception/test_Math_31": "<answer>n</answer>",  # right: the fourteenth of 14 options
    "comprehension/dev_Art_Theory_2": "<think>Price?</think>A",  # wrong
    "comprehension/new_Finance_4": "Both rent and wage",  # right, by its text
    "adaptation/validation_Basic_Medical_Science_9": "<answer>B. Wall</answer>",  # right
    "adaptation/dev_Art_Theory_2": "A",  # right: the letter, not the text of B
    "adaptation/test_Math_31": "<answer>3.0</answer>",  # right: the second of three
    "adaptation/new_Finance_4": "<answer>8 percent</answer>",  # wrong
    # test_Music_5 fails
}
"""2 of 2, 1 of 2, 3 of 5: together 6 of 9."""
FIGURES = {
    "accuracy_perception": 1.0,
    "accuracy_comprehension": 1 / 2,
    "accuracy_adaptation": 3 / 5,
    "accuracy_art": 2 / 4,  # the first of three, and test_Music_5
    "accuracy_business": 1 / 2,
    "accuracy_medicine": 1.0,
    "accuracy_science": 1.0,
}
GROUPS = {
    "track": {"Perception": 1.0, "Comprehension": 1 / 2, "Adaptation": 3 / 5},
    "discipline": {"Art": 2 / 4, "Business": 1 / 2, "Medicine": 1.0, "Science": 1.0},
    "question_type": {"multiple-choice": 5 / 7, "open": 1 / 2},
}
APPLIED = {name: reply for name, reply in REPLIES.items() if name.startswith("adaptation/")}
ADAPTATION = {
    "accuracy_adaptation": 3 / 5,
    "accuracy_art": 1 / 2,
    "accuracy_business": 0.0,
    "accuracy_medicine": 1.0,
    "accuracy_science": 1.0,
}
CASES = (
    Case("hub", Selection(), REPLIES, 6 / 9, FIGURES, GROUPS),
    Case("github", Selection(), REPLIES, 6 / 9, FIGURES, GROUPS),
    Case("hub", Selection(subset="adaptation"), APPLIED, 3 / 5, ADAPTATION),
    Case("hub", Selection(question_only=True), APPLIED, 3 / 5, ADAPTATION),
)
