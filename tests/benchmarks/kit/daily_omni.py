"""Daily-Omni in miniature: eight questions about four videos, one of them twice in the file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from avatar_core.benchmarks.ids import content_id
from avatar_core.benchmarks.registry import Selection
from tests.benchmarks.kit import media
from tests.benchmarks.kit.case import Case

NAME = "daily_omni"
LAYOUTS = ("hub", "authors")
MISSING = "m0-Vanished"


def _row(
    video: str, kind: str, question: str, choices: tuple[str, ...], answer: str, **more: str
) -> dict[str, Any]:
    category = {"Zx1_yW2vU3t": "Education", "kk_LL-mm123": "Music"}.get(video, "Cooking & Food")
    return {
        "Question": question,
        "Choice": [f"{letter}. {text}" for letter, text in zip("ABCD", choices, strict=True)],
        "Answer": answer,
        "video_id": video,
        "Type": kind,
        "video_category": category,
        "video_duration": "60s" if video == "kk_LL-mm123" else "30s",
        **more,
    }


BELL = ("A bell", "A dog", "Rain", "Silence")
TWICE = _row(
    "kk_LL-mm123", "Inference", "Why does she stop?", ("Tired", "Told", "Lost", "Late"), "D"
)
ROWS = (
    _row(
        "Zx1_yW2vU3t",
        "AV Event Alignment",
        "What is heard when the door opens?",
        BELL,
        "A",
        content_parent_category="School",
        content_fine_category="Class",
    ),
    # The same question about the same video, with other options.
    _row(
        "Zx1_yW2vU3t",
        "AV Event Alignment",
        "What is heard when the door opens?",
        ("A knock", "A whistle", "A bell", "A horn"),
        "C",
        Explaination="The bell is heard first.",
    ),
    _row(
        "Zx1_yW2vU3t",
        "Event Sequence",
        "What comes second?",
        ("The teacher's joke", 'The word "stop"', "A drawing", "The bell"),
        "B",
    ),
    # The same question about another video.
    _row("kk_LL-mm123", "AV Event Alignment", "What is heard when the door opens?", BELL, "C"),
    TWICE,
    _row("kk_LL-mm123", "Comparative", "Which part is louder?", ("1", "2", "3", "None"), "D"),
    TWICE,
    _row(
        MISSING,
        "Reasoning",
        "What is being cooked?",
        ("Soup", "Bread", "Rice", "Stew"),
        "C",
    ),
)


def name_of(row: dict[str, Any]) -> str:
    """Id of a row's first occurrence."""
    texts = [choice[3:] for choice in row["Choice"]]
    return f"{row['video_id']}_{content_id(row['Question'], *texts)}"


def write(root: Path, layout: str, *, reverse: bool = False) -> None:
    """Write the miniature data set; the authors keep the folders of the videos at the top."""
    rows = list(reversed(ROWS)) if reverse else list(ROWS)
    root.mkdir(parents=True, exist_ok=True)
    (root / "qa.json").write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    for video in {row["video_id"] for row in ROWS}:
        if layout == "hub" and video == MISSING:
            continue
        home = (root / "Videos" if layout == "hub" else root) / video
        media.video(home / f"{video}_video.mp4")
        media.sound(home / f"{video}_audio.wav")


_IDS = [name_of(row) for row in ROWS]
REPLIES = {
    _IDS[0]: "a",  # right
    _IDS[1]: "Based on the sound, option C",  # right; the B of "Based" is no answer
    _IDS[2]: "<answer>B. The word</answer>",  # right
    _IDS[3]: "A bell rings, so (C) rain is out... it must be (B).",  # wrong; gold C
    _IDS[4]: "D",  # right, the first of the two
    f"{_IDS[4]}#2": "Late",  # right: the text of D
    # The comparison is not answered.
}
CASES = (
    # Eight items: 0, 1, 2 and both of the doubled one are right; one has no reply, one no video.
    Case(
        "hub",
        Selection(),
        REPLIES,
        headline=5 / 8,
        groups={
            "type": {
                "AV Event Alignment": 2 / 3,
                "Event Sequence": 1.0,
                "Inference": 1.0,
                "Comparative": 0.0,
                "Reasoning": 0.0,
            },
            "video_category": {"Education": 1.0, "Music": 2 / 4, "Cooking & Food": 0.0},
            "video_duration": {"30s": 3 / 4, "60s": 2 / 4},
        },
    ),
    # The video that the hub layout lacks is there, and its question is right.
    Case(
        "authors",
        Selection(),
        {**REPLIES, _IDS[7]: "C"},
        headline=6 / 8,
        groups={
            "type": {
                "AV Event Alignment": 2 / 3,
                "Event Sequence": 1.0,
                "Inference": 1.0,
                "Comparative": 0.0,
                "Reasoning": 1.0,
            },
            "video_category": {"Education": 1.0, "Music": 2 / 4, "Cooking & Food": 1.0},
            "video_duration": {"30s": 1.0, "60s": 2 / 4},
        },
    ),
)
