"""Video-Holmes in miniature: eight questions about four films."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from avatar_core.benchmarks.registry import Selection
from tests.benchmarks.kit import media
from tests.benchmarks.kit.case import Case

NAME = "video_holmes"
LAYOUTS = ("hub", "lmms", "authors", "flat")
FOLDERS = {
    "hub": "videos",
    "lmms": "videos_cropped",
    "authors": "Benchmark/videos",
    "flat": "video",
}
"""Where each layout has the films; "authors" is a checkout of the benchmark's repository."""
SUFFIXES = {"hub": ".mp4", "lmms": ".mp4", "authors": ".mp4", "flat": ".webm"}
MISSING = "qT5-mW0zKp1"


def _row(
    video: str, number: int, kind: str, question: str, options: tuple[str, ...], answer: str
) -> dict[str, Any]:
    return {
        "video ID": video,
        "Question ID": number,
        "Question Type": kind,
        "Question": question,
        "Options": dict(zip("ABCDEF", options, strict=False)),
        "Answer": answer,
        "Explanation": "An invented one.",
    }


ROWS = (
    _row(
        "aB3dE_fGh1k",
        1,
        "SR",
        "How are the two guests related?",
        ("Siblings", "Rivals", "Strangers", "Spouses", "Neighbours", "Colleagues"),
        "B",
    ),
    _row(
        "aB3dE_fGh1k",
        2,
        "TCI",
        "Why did the lamp go out?",
        ("Storm", "Sabotage", "Old bulb", "Power cut", "A dream", "A prank"),
        "F",
    ),
    # Numbers start again with each film.
    _row(
        "-x9Yz_00abc",
        1,
        "IMC",
        "What does the cook want?",
        ("Revenge", "Money", "Peace", "Fame", "Sleep", "Both A and B"),
        "F",
    ),
    _row(
        "-x9Yz_00abc",
        2,
        "TA",
        "What happens first?",
        ("Knock", "Fall", "Call", "Scream", "Kiss", "Toast"),
        "A",
    ),
    # One number twice in a film, for two questions.
    _row(
        "-x9Yz_00abc",
        2,
        "MHR",
        "Which object comes back?",
        ("Ring", "Knife", "Letter", "Glove", "Coin", "Key"),
        "C",
    ),
    _row(
        "abc_123",
        1,
        "PAR",
        "What is wrong in the mirror?",
        ("Hair", "Scar", "Smile", "Coat", "Clock", "Door"),
        "E",
    ),
    # A question with four options.
    _row(
        "abc_123",
        2,
        "CTI",
        "What does the film warn of?",
        ("Greed", "Envy", "Pride", "Sloth"),
        "D",
    ),
    _row(
        MISSING,
        1,
        "SR",
        "Who owns the house?",
        ("The aunt", "The bank", "Nobody", "The twins", "The mayor", "The narrator"),
        "A",
    ),
)
TRAIN = (
    _row(
        "trainFilm01",
        1,
        "SR",
        "Who is the driver?",
        ("A son", "A spy", "A priest", "A thief", "A guest", "A ghost"),
        "A",
    ),
)


def write(root: Path, layout: str, *, reverse: bool = False) -> None:
    """Write the miniature data set; the hub layout has the file of the other split as well."""
    home = root / "Benchmark" if layout == "authors" else root
    home.mkdir(parents=True, exist_ok=True)
    rows = list(reversed(ROWS)) if reverse else list(ROWS)
    (home / "test_Video-Holmes.json").write_text(json.dumps(rows), encoding="utf-8")
    films = {row["video ID"] for row in ROWS}
    if layout == "hub":
        (home / "train_Video-Holmes.json").write_text(json.dumps(TRAIN), encoding="utf-8")
        films = {row["video ID"] for row in (*ROWS, *TRAIN)} - {MISSING}
    for film in films:
        media.video(root / FOLDERS[layout] / f"{film}{SUFFIXES[layout]}")


REPLIES = {
    "aB3dE_fGh1k_1": "<think>A quarrel: A? No.</think><answer>B</answer>",  # right
    "aB3dE_fGh1k_2": "It was a storm or sabotage.",  # wrong: names no letter; gold F
    "-x9Yz_00abc_1": "Both A and B",  # right: the text of F
    "abc_123_1": "The answer is E because I saw the clock.",  # right: not the I
    "abc_123_2": "E",  # wrong: there are four options
}
CASES = (
    # Eight questions, the two that share a number without a reply, one film missing. Right: 3.
    Case(
        "hub",
        Selection(),
        REPLIES,
        headline=3 / 8,
        groups={
            "question_type": {
                "SR": 1 / 2,
                "TCI": 0.0,
                "IMC": 1.0,
                "TA": 0.0,
                "MHR": 0.0,
                "PAR": 1.0,
                "CTI": 0.0,
            }
        },
    ),
    Case(
        "hub",
        Selection(split="train"),
        {"trainFilm01_1": "(A)"},
        headline=1.0,
        groups={"question_type": {"SR": 1.0}},
    ),
    # Nothing is missing, and the last one is right as well: 4 of 8.
    *(
        Case(
            layout,
            Selection(),
            {**REPLIES, f"{MISSING}_1": "A. The aunt"},
            headline=4 / 8,
            groups={
                "question_type": {
                    "SR": 1.0,
                    "TCI": 0.0,
                    "IMC": 1.0,
                    "TA": 0.0,
                    "MHR": 0.0,
                    "PAR": 1.0,
                    "CTI": 0.0,
                }
            },
        )
        for layout in ("lmms", "authors", "flat")
    ),
)
