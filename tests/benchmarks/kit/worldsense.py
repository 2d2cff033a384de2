"""A miniature WorldSense: seven questions about four videos; one has three options."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow
from pyarrow import parquet

from avatar_core.benchmarks.registry import Selection
from tests.benchmarks.kit import media
from tests.benchmarks.kit.case import Case

NAME = "worldsense"
LAYOUTS = ("hub", "lmms", "authors")
LAMP, BELL, GOAL, GONE = "qkLamp_0001", "-zBell_0002", "wwGoal_0003", "uuGone_0004"


def task(
    domain: str, kind: str, question: str, candidates: list[str], answer: str
) -> dict[str, Any]:
    """One question as the file of the hub has it."""
    return {
        "task_domain": domain,
        "task_type": kind,
        "question": question,
        "candidates": candidates,
        "answer": answer,
    }


def video(
    name: str, duration: object, domain: str, classes: list[str], *tasks: dict[str, Any]
) -> dict[str, Any]:
    """One value of the hub's file."""
    return {
        "video_id": name,
        "duration": duration,
        "video_duration": "48s",
        "domain": domain,
        "sub_category": "Invented",
        "audio_class": classes,
        "video_caption": "Something happens, and something else is heard.",
        **{f"task{number}": content for number, content in enumerate(tasks)},
    }


VIDEOS = [
    video(
        LAMP, "<1min", "Daily Life", ["Event"],
        task(
            "Recognition", "Audio Recognition", "What clicks when the lamp goes out?",
            ["A. A door.", "B. A switch.", "C. A pen.", "D. A watch."], "B",
        ),
        task(
            "Reasoning", "Causal Reasoning", "Why is the lamp turned off?",
            ["A. It flickers.", "B. It is too hot.", "C. Daylight comes."], "C",
        ),
    ),
    video(
        BELL, "1-2min", "Music", ["Music", "Speech"],
        task(
            "Recognition", "Audio Recognition", "Which bell rings last?",
            ["A. The small one.", "B. The cracked one.", "C. The tall one.", "D. None."], "A",
        ),
        task(
            "Understanding", "Emotion Change", "How does the ringer's mood change?",
            ["A. Calm to angry.", "B. Glad to sad.", "C. Not at all.", "D. Bored to glad."], "D",
        ),
        task(
            "Reasoning", "Causal Reasoning", "Why does the choir stop?",
            ["A. A bell is late.", "B. The light fails.", "C. Both A and B.", "D. Rain."], "C",
        ),
    ),
    video(
        GOAL, 95, "Sports", ["Speech", "Event", "Music"],
        task(
            "Recognition", "Action Counting", "How often is the ball headed?",
            ["A. Once.", "B. Twice.", "C. Four times.", "D. Never."], "B",
        ),
    ),
    video(
        GONE, "2-4min", "Games", ["Speech"],
        task(
            "Understanding", "Emotion Change", "What does the player feel at the end?",
            ["A. Relief.", "B. Envy.", "C. Fear.", "D. Pride."], "A",
        ),
    ),
]  # fmt: skip


def write(root: Path, layout: str, *, reverse: bool = False) -> None:
    """Write the data set; of the hub's layout the video `GONE` is missing."""
    folder = root if layout == "authors" else root / "videos"
    media.video(folder / f"{LAMP}.mp4")
    media.video(folder / f"{BELL}.MP4")
    media.video(folder / f"{GOAL}.mkv", sound=False)
    if layout != "hub":
        media.video(folder / f"{GONE}.mp4")
    if layout == "lmms":
        rows = flat_rows()
        table = pyarrow.Table.from_pylist(rows[::-1] if reverse else rows)
        (root / "data").mkdir(parents=True)
        parquet.write_table(table, root / "data/test-00000-of-00001.parquet")
        return
    listed = [dict(reversed(content.items())) for content in reversed(VIDEOS)]
    document = {content["video_id"]: content for content in (listed if reverse else VIDEOS)}
    (root / "worldsense_qa.json").write_text(json.dumps(document), encoding="utf-8")


def flat_rows() -> list[dict[str, Any]]:
    """One row per question, as the copy of lmms-eval has them; it does not tell the domain."""
    rows: list[dict[str, Any]] = []
    for content in VIDEOS:
        for key in [key for key in content if key.startswith("task")]:
            rows.append(
                {
                    "index": len(rows),
                    "video_path": f"videos/{content['video_id']}.mp4",
                    "subtitle_path": f"subtitles/{content['video_id']}.srt",
                    "duration": str(content["duration"]),
                    "audio_class": content["audio_class"],
                    **content[key],
                }
            )
    return rows


# hub: right are both of LAMP, task1 of BELL, GOAL: 4 of 7. GONE is missing.
HUB = Case(
    layout="hub",
    selection=Selection(),
    replies={
        f"{LAMP}_task0": "B",
        f"{LAMP}_task1": "<think>A or B? No.</think><answer>C. Daylight comes.</answer>",
        f"{BELL}_task0": "The answer is C.",
        f"{BELL}_task1": "(D) Bored to glad.",
        f"{BELL}_task2": "I am not sure",
        f"{GOAL}_task0": "Twice.",
    },
    headline=4 / 7,
    groups={
        # LAMP 2 of 2, BELL 1 of 3.
        "domain": {"Daily Life": 1.0, "Music": 1 / 3, "Sports": 1.0, "Games": 0.0},
        # Recognition: LAMP 0 and GOAL of three; Reasoning: LAMP 1 of two; Understanding: BELL 1.
        "task_domain": {"Recognition": 2 / 3, "Reasoning": 1 / 2, "Understanding": 1 / 2},
        "task_type": {
            "Audio Recognition": 1 / 2,
            "Causal Reasoning": 1 / 2,
            "Emotion Change": 1 / 2,
            "Action Counting": 1.0,
        },
        "duration": {"<1min": 1.0, "1-2min": 1 / 3, "95": 1.0, "2-4min": 0.0},
        # Event: LAMP 2 + GOAL 1 of 3; Music: BELL 1 + GOAL 1 of 4; Speech: the same and GONE, of 5.
        "audio_class": {"Event": 1.0, "Music": 2 / 4, "Speech": 2 / 5},
    },
)
# lmms: LAMP's second question has no option D, so that is no answer; BELL's first and third are
# right, the second states nothing. Right: 0, 2, 4, 5, 6: 5 of 7.
LMMS = Case(
    layout="lmms",
    selection=Selection(),
    replies={
        f"{LAMP}_0": "B. A switch.",
        f"{LAMP}_1": "D",
        f"{BELL}_2": "a",
        f"{BELL}_3": "",
        f"{BELL}_4": "<answer>C</answer>",
        f"{GOAL}_5": "Based on the video, option B",
        f"{GONE}_6": "A.",
    },
    headline=5 / 7,
    groups={
        "task_domain": {"Recognition": 1.0, "Reasoning": 1 / 2, "Understanding": 1 / 2},
        # Event: LAMP 0 and GOAL of 3; Music: BELL 2 and GOAL of 4; Speech: the same and GONE of 5.
        "audio_class": {"Event": 2 / 3, "Music": 3 / 4, "Speech": 4 / 5},
    },
)
# authors: only GONE and GOAL are answered, GOAL wrongly: 1 of 7.
AUTHORS = Case(
    layout="authors",
    selection=Selection(),
    replies={f"{GONE}_task0": "A", f"{GOAL}_task0": "A"},
    headline=1 / 7,
    groups={"domain": {"Daily Life": 0.0, "Music": 0.0, "Sports": 0.0, "Games": 1.0}},
)
CASES = (HUB, LMMS, AUTHORS)
