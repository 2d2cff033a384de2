"""A miniature LVBench: six questions about three videos, some of several capabilities."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow
from pyarrow import parquet

from avatar_core.benchmarks.ids import content_id
from avatar_core.benchmarks.registry import Selection
from tests.benchmarks.kit import media
from tests.benchmarks.kit.case import Case

NAME = "lvbench"
LAYOUTS = ("hub", "numbered", "lmms", "authors")
MATCH, TOON, GONE = "kQ7_a-B3xYz", "-pLm9_Rt2w0", "Vv_gone-404"


def question(
    uid: object, stem: str, options: list[str], answer: str, *kinds: str
) -> dict[str, Any]:
    """One question as the hub has it, options inline."""
    lines = [f"({letter}) {text}" for letter, text in zip("ABCD", options, strict=True)]
    return {
        "uid": uid,
        "question": "\n".join((stem, *lines)),
        "answer": answer,
        "question_type": list(kinds),
        "time_reference": "05:10-05:40",
    }


def video(key: str, genre: str, *questions: dict[str, Any]) -> dict[str, Any]:
    """One line of the hub's file."""
    return {
        "key": key,
        "type": genre,
        "video_info": {
            "duration_minutes": 61.3,
            "fps": 30.0,
            "resolution": {"width": 1280, "height": 720},
        },
        "qa": list(questions),
    }


VIDEOS = [
    video(
        MATCH, "sport",
        question(
            11, "Who scores first?", ["Red", "Blue", "Nobody", "Both"], "B",
            "event understanding", "reasoning",
        ),
        question(
            "12", "When is the whistle heard?",
            ["At 05:10", "At 09:30", "At 14:00", "Never"], "A", "temporal grounding",
        ),
        question(
            "13", "What is on the board?",
            ["1-0", "0-0", "2-2", "3-1"], "D", "key information retrieval",
        ),
    ),
    video(
        TOON, "cartoon",
        question(
            "31", "Who hides the hat?", ["A cat", "The king", "A mouse", "The cook"], "C",
            "entity recognition", "reasoning",
        ),
        question(
            "32", "What is it all about?", ["A hat", "A war", "A feast", "A trip"], "A",
            "summarization",
        ),
    ),
    video(
        GONE, "tv",
        question("40", "Why is he late?", ["Rain", "Snow", "Fog", "Ice"], "B", "reasoning"),
    ),
]  # fmt: skip


def write(root: Path, layout: str, *, reverse: bool = False) -> None:
    """Write the data set; of the hub's layout the video `GONE` is missing."""
    if layout == "numbered":
        _write_numbered(root)
    else:
        folder = root / ("all_videos" if layout == "hub" else "videos")
        media.video(folder / f"{MATCH}.mp4")
        media.video(folder / f"{TOON}.webm", sound=False)
        if layout != "hub":
            media.video(folder / f"{GONE}.mp4")
    if layout == "lmms":
        rows = flat_rows()
        (root / "data").mkdir(parents=True)
        table = pyarrow.Table.from_pylist(rows[::-1] if reverse else rows)
        parquet.write_table(table, root / "data/train-00000-of-00001.parquet")
    elif layout == "authors":
        listed = authors_rows()
        text = json.dumps(listed[::-1] if reverse else listed)
        (root / "lvbench.json").write_text(text, encoding="utf-8")
    else:
        lines = [json.dumps(content) + "\n" for content in (VIDEOS[::-1] if reverse else VIDEOS)]
        (root / "video_info.meta.jsonl").write_text("".join(lines), encoding="utf-8")


def _write_numbered(root: Path) -> None:
    """As the downloader leaves them: numbers, and beside each a file that says what it was."""
    for number, content in enumerate(VIDEOS):
        path = root / f"videos/00000/{number:08}.mp4"
        media.video(path)
        facts = {
            "url": f"video-site/watch?v={content['key']}",
            "key": path.stem,
            "status": "success",
            "yt_meta_dict": {"info": None},
        }
        path.with_suffix(".json").write_text(json.dumps(facts), encoding="utf-8")


def _apart(content: dict[str, Any]) -> tuple[str, list[str]]:
    stem, *lines = content["question"].split("\n")
    return stem, [line[4:] for line in lines]


def flat_rows() -> list[dict[str, Any]]:
    """One row per question without an id; the first has its options inline, as older copies do."""
    rows = []
    for content in VIDEOS:
        for asked in content["qa"]:
            stem, options = _apart(asked)
            inline = asked["uid"] == 11
            rows.append(
                {
                    "video_path": f"videos/{content['key']}.mp4",
                    "question": asked["question"] if inline else stem,
                    "options": None if inline else options,
                    "answer": asked["answer"],
                }
            )
    return rows


def authors_rows() -> list[dict[str, Any]]:
    """A flat list; the last two rows are the same question, and none of the two has an id."""
    rows = []
    for content in VIDEOS:
        for asked in content["qa"]:
            stem, options = _apart(asked)
            lines = [f"{letter}. {text}" for letter, text in zip("ABCD", options, strict=True)]
            rows.append(
                {
                    "video_path": f"videos/{content['key']}.mp4",
                    "processed_question": "\n".join((stem, *lines)),
                    "question": stem,
                    "answer": asked["answer"],
                    "question_id": f"q{asked['uid']}",
                }
            )
    del rows[-1]["question_id"]
    return [*rows, dict(rows[-1])]


def ident(video: int, number: int) -> str:
    """Id of a question that its row gives none."""
    content = VIDEOS[video]
    stem, options = _apart(content["qa"][number])
    return f"{content['key']}_{content_id(stem, *options)}"


# hub: the three of MATCH are right, of TOON one is wrong and one states nothing, GONE is missing.
HUB = Case(
    layout="hub",
    selection=Selection(),
    replies={
        f"{MATCH}_11": "B",
        f"{MATCH}_12": "(A) At 05:10",
        f"{MATCH}_13": "<answer>d</answer>",
        f"{TOON}_31": "The answer is A.",
        f"{TOON}_32": "It is about many things",
    },
    headline=3 / 6,
    groups={
        "question_type": {
            "event understanding": 1.0,
            # 11 of 11, 31 and 40.
            "reasoning": 1 / 3,
            "temporal grounding": 1.0,
            "key information retrieval": 1.0,
            "entity recognition": 0.0,
            "summarization": 0.0,
        }
    },
)
# numbered: only 40, of the video that the hub's layout lacks, and 31 are right: 2 of 6.
NUMBERED = Case(
    layout="numbered",
    selection=Selection(split="train"),
    replies={f"{GONE}_40": "B. Snow", f"{TOON}_31": "A mouse", f"{MATCH}_11": "Red"},
    headline=2 / 6,
    groups={"question_type": {"reasoning": 2 / 3, "summarization": 0.0}},
)
# lmms: all are right but the first of TOON: 5 of 6.
LMMS = Case(
    layout="lmms",
    selection=Selection(),
    replies={
        ident(0, 0): "B",
        ident(0, 1): "A",
        ident(0, 2): "D.",
        ident(1, 0): "<think>C</think><answer>B</answer>",
        ident(1, 1): "A hat",
        ident(2, 0): "option B",
    },
    headline=5 / 6,
)
# authors: seven rows, since the last is there twice; 11 and both of the last are right.
AUTHORS = Case(
    layout="authors",
    selection=Selection(),
    replies={
        f"{MATCH}_q11": "B",
        f"{MATCH}_q12": "C",
        ident(2, 0): "B",
        f"{ident(2, 0)}#2": "B",
    },
    headline=3 / 7,
)
CASES = (HUB, NUMBERED, LMMS, AUTHORS)
