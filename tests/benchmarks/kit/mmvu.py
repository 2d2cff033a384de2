"""MMVU in miniature: six multiple-choice questions and three open ones about six videos."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow
from pyarrow import parquet

from avatar_core.benchmarks.registry import Selection
from tests.benchmarks.kit import media
from tests.benchmarks.kit.case import Case

NAME = "mmvu"
LAYOUTS = ("hub", "lmms", "authors")
PREFIX = "https://data.example/datasets/mmvu/resolve/main/"
NOTHING = dict.fromkeys("ABCDE", "")
QUESTIONS: tuple[tuple[str, str, str, tuple[str, ...], str], ...] = (
    # id, folder and file, question, choices, answer
    (
        "validation_3",
        "Dentistry/4",
        "Which step comes last in the film?",
        ("etching", "rinsing", "curing", "polishing", "scaling"),
        "C",
    ),
    (
        "validation_8",
        "Dentistry/4",
        "What could the worn gloves let through?",
        ("Hepatitis E virus", "plain water", "vitamin D", "table salt", "chalk"),
        "A",
    ),
    # The same file name in another folder.
    (
        "validation_15",
        "Modern_Physics/4",
        "Which quantity does the swinging needle show?",
        ("charge", "spin", "mass", "half-life", "phase"),
        "D",
    ),
    # The metadata name another subject than the folder; the folder counts.
    (
        "validation_21",
        "Electronics_and_Communication/2",
        "What does the second lamp stand for?",
        ("carry", "sum", "clock", "reset", "enable"),
        "B",
    ),
    # Missing in the hub layout, where another folder has a file of that name.
    (
        "validation_30",
        "Art/9",
        "Which technique is used on the wall?",
        ("fresco", "collage", "etching", "mosaic", "batik"),
        "D",
    ),
    (
        "validation_34",
        "Law/9",
        "Who speaks after the break?",
        ("the clerk", "the judge", "a juror", "the bailiff", "the witness"),
        "E",
    ),
    ("validation_40", "Law/9", "Which writ is asked for?", (), "Habeas data"),
    ("validation_41", "Thermodynamics/1", "Name the kind of change shown.", (), "isochoric"),
    ("validation_55", "Thermodynamics/1", "At which temperature does it end?", (), "42 K"),
)
MISSING = "validation_30"
WITHOUT_ID = "validation_34"
"""A question that has no id in the authors' file."""


def write(root: Path, layout: str, *, reverse: bool = False) -> None:
    """Write the miniature data set; the authors' file holds multiple choice alone."""
    entries = [entry for entry in QUESTIONS if layout != "authors" or entry[3]]
    rows = [ROWS[layout](*entry) for entry in (reversed(entries) if reverse else entries)]
    for name, place, *_ in entries:
        if layout != "hub" or name != MISSING:
            media.video(root / "videos" / f"{place}.mp4", sound=place.startswith("Law"))
    if layout == "lmms":
        (root / "data").mkdir()
        table = pyarrow.Table.from_pylist(rows)
        parquet.write_table(table, root / "data" / "validation-00000-of-00001.parquet")
        return
    path = root / ("validation.json" if layout == "hub" else "mmvu.json")
    path.write_text(json.dumps(rows, indent=1), encoding="utf-8")


def _hub(
    name: str, place: str, question: str, choices: tuple[str, ...], answer: str
) -> dict[str, Any]:
    subject = place.split("/")[0].replace("_", " ")
    return {
        "id": name,
        "video": f"{PREFIX}videos/{place}.mp4",
        "youtube_url": "https://video.example/watch?v=none",
        "question_type": "multiple-choice" if choices else "open-ended",
        "metadata": {
            "subject": "Computer Science" if name == "validation_21" else subject,
            "textbook": "An invented book",
            "knowledge": ["https://wiki.example/A"],
            "rationale": "",
        },
        "question": question,
        "choices": dict(zip("ABCDE", choices, strict=False)) if choices else NOTHING,
        "answer": answer,
    }


def _lmms(
    name: str, place: str, question: str, choices: tuple[str, ...], answer: str
) -> dict[str, Any]:
    row = _hub(name, place, question, choices, answer)
    del row["video"]
    return {**row, "video_path": f"videos/{place}.mp4"}


def _authors(
    name: str, place: str, question: str, choices: tuple[str, ...], answer: str
) -> dict[str, Any]:
    lines = [f"{letter}. {text}" for letter, text in zip("ABCDE", choices, strict=True)]
    return {
        **({} if name == WITHOUT_ID else {"question_id": name}),
        "video_path": f"videos/{place}.mp4",
        "question": question,
        "processed_question": "\n".join([question, *lines]),
        "answer": answer,
    }


ROWS = {"hub": _hub, "lmms": _lmms, "authors": _authors}

CHOICE_REPLIES: Mapping[str, str] = {
    "validation_3": "<think>Not B. It ends with light.</think><answer>C</answer>",  # right
    "validation_8": "Hepatitis E virus",  # right: the text of A, not the letter in it
    "validation_15": "A needle swings, so it must be E.",  # wrong; gold D
    "validation_21": "B. sum",  # right
}
OPEN_REPLIES: Mapping[str, str] = {
    "validation_40": "habeas  data",  # right after normalisation
    "validation_41": "<think>The volume stays.</think><answer>isochoric</answer>",  # right
    "validation_55": "about 42 K",  # wrong: not the gold text, and no judge
}
CASES = (
    # Six multiple-choice questions. Right: 3, 8, 21. Wrong: 15; 30 is missing; 34 says nothing.
    Case(
        "hub",
        Selection(),
        {**CHOICE_REPLIES, "validation_34": "I am not sure."},
        headline=3 / 6,
        groups={
            "subject": {
                "Dentistry": 1.0,
                "Modern Physics": 0.0,
                "Electronics and Communication": 1.0,
                "Art": 0.0,
                "Law": 0.0,
            },
            "discipline": {
                "Healthcare": 1.0,  # 3 and 8
                "Science": 0.0,
                "Engineering": 1.0,
                "Humanities and Social Science": 0.0,  # 30 and 34
            },
            "question_type": {"multiple-choice": 3 / 6},
        },
    ),
    # The same with 34 right: 4 of 6, and the open ones: 2 of 3.
    Case(
        "hub",
        Selection(subset="all"),
        {**CHOICE_REPLIES, **OPEN_REPLIES, "validation_34": "E"},
        headline=6 / 9,
        figures={"open_items": 3.0, "open_exact": 2 / 3},
        groups={
            "subject": {
                "Dentistry": 1.0,
                "Modern Physics": 0.0,
                "Electronics and Communication": 1.0,
                "Art": 0.0,
                "Law": 1.0,  # 34 and 40
                "Thermodynamics": 1 / 2,  # 41, not 55
            },
            "discipline": {
                "Healthcare": 1.0,
                "Science": 1 / 3,  # 41 of 15, 41, 55
                "Engineering": 1.0,
                "Humanities and Social Science": 2 / 3,  # 34 and 40 of 30, 34, 40
            },
            "question_type": {"multiple-choice": 4 / 6, "open-ended": 2 / 3},
            "scored": {"no_judge": 2 / 3},
        },
    ),
    # Nothing is missing: 3, 8, 21 and 30 are right, 34 has no reply.
    Case(
        "lmms",
        Selection(subset="mc"),
        {**CHOICE_REPLIES, MISSING: "(D) mosaic"},
        headline=4 / 6,
        groups={
            "subject": {
                "Dentistry": 1.0,
                "Modern Physics": 0.0,
                "Electronics and Communication": 1.0,
                "Art": 1.0,
                "Law": 0.0,
            },
            "discipline": {
                "Healthcare": 1.0,
                "Science": 0.0,
                "Engineering": 1.0,
                "Humanities and Social Science": 1 / 2,
            },
            "question_type": {"multiple-choice": 4 / 6},
        },
    ),
    # The authors' file: right are 3, 8 and 21; 30 has no reply, nor has the one without an id.
    Case(
        "authors",
        Selection(),
        CHOICE_REPLIES,
        headline=3 / 6,
        groups={
            "subject": {
                "Dentistry": 1.0,
                "Modern Physics": 0.0,
                "Electronics and Communication": 1.0,
                "Art": 0.0,
                "Law": 0.0,
            },
            "discipline": {
                "Healthcare": 1.0,
                "Science": 0.0,
                "Engineering": 1.0,
                "Humanities and Social Science": 0.0,
            },
            "question_type": {"multiple-choice": 3 / 6},
        },
    ),
)
