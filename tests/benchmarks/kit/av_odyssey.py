"""A miniature AV-Odyssey: six questions whose placeholders stand in questions and options."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow
from pyarrow import parquet

from avatar_core.benchmarks.registry import Selection
from tests.benchmarks.kit import media
from tests.benchmarks.kit.case import Case

NAME = "av_odyssey"
LAYOUTS = ("hub", "embedded", "authors")
PAIR, FOUR, CLIP, PLAIN, ORDER, GONE = "3_001", "3_002", "7_001", "9_001", "9_002", "26_001"


def row(
    name: str, subfield: str, question: str, options: list[str], answer: str, *paths: str
) -> dict[str, Any]:
    """One question; what a path is shows in its suffix."""
    found = {
        kind: [path for path in paths if path.endswith(suffix)]
        for kind, suffix in (("image", ".png"), ("video", ".mp4"), ("audio", ".wav"))
    }
    return {
        "question_id": name,
        "question_type_id": int(name.split("_")[0]),
        "data_type": "video_audio" if found["video"] else "image_audio",
        "subfield": subfield,
        "question": question,
        "options": [f"{letter}. {text}" for letter, text in zip("ABCD", options, strict=True)],
        "answer": answer,
        **{f"{kind}_path": listed for kind, listed in found.items()},
    }


ROWS = [
    row(
        PAIR, "Timbre", "Of [img1] and [img2], which one makes the sound [audio1]?",
        ["The one in [img1]", "The one in [img2]", "Both", "Neither"], "B",
        "task3/a.png", "task3/b.png", "task3/a.wav",
    ),
    row(
        FOUR, "Timbre", "Which sound fits [img1]?",
        ["[audio1]", "[audio2]", "[audio3]", "[audio4]"], "D",
        "task3/c.png", "task3/c1.wav", "task3/c2.wav", "task3/c3.wav", "task3/c4.wav",
    ),
    row(
        CLIP, "Space", "Where does [audio1] come from in [video1]?",
        ["Left", "Right", "Above", "Nowhere"], "A", "task7/clip.mp4", "task7/clip.wav",
    ),
    row(
        PLAIN, "Melody", "Which tune is [audio1]?",
        ["A waltz", "A march", "A lullaby", "A hymn"], "C", "task9/d.png", "task9/d.wav",
    ),
    row(
        ORDER, "Time", "Seen [img1]: which is earlier, [audio1] or [audio2]?",
        ["The first", "The second", "Neither", "Both"], "B",
        "task9/e.png", "task9/e1.wav", "task9/e2.wav",
    ),
    row(
        GONE, "Hallucination", "[video1] with [audio1]: is there a dog?",
        ["No dog", "One dog", "Two dogs", "A pack"], "A", "task26/f.mp4", "task26/f.wav",
    ),
]  # fmt: skip


def write(root: Path, layout: str, *, reverse: bool = False) -> None:
    """Write the data set; of the hub's layout the sound of `GONE` is missing."""
    rows = ROWS[::-1] if reverse else ROWS
    if layout == "embedded":
        _write_embedded(root, rows)
        return
    for path in [path for content in ROWS for path in _paths(content)]:
        if layout == "authors" or path != "task26/f.wav":
            # The archive of task 7 was unpacked into a folder of its own name.
            _write_medium(root / ("task7" if path.startswith("task7/") else "") / path)
    if layout == "authors":
        (root / "av_odyssey.json").write_text(json.dumps(rows), encoding="utf-8")
        return
    texts = [{**content, "question_type_id": str(content["question_type_id"])} for content in rows]
    parquet.write_table(pyarrow.Table.from_pylist(texts), root / "av_odyssey.parquet")


def _paths(content: dict[str, Any]) -> list[str]:
    return [*content["image_path"], *content["video_path"], *content["audio_path"]]


def _write_medium(path: Path) -> None:
    {".png": media.image, ".wav": media.sound}.get(path.suffix, _silent_video)(path)


def _silent_video(path: Path) -> Path:
    return media.video(path, sound=False)


def _write_embedded(root: Path, rows: list[dict[str, Any]]) -> None:
    """Pictures as bytes, sounds as objects, videos as paths: three ways that tables have."""
    for name in ("clip", "f"):
        _silent_video(root / f"videos/{name}.mp4")
    kept = ("question_id", "question_type_id", "data_type", "subfield", "question", "options")
    tables: list[dict[str, Any]] = []
    for content in rows:
        images, sounds = len(content["image_path"]), len(content["audio_path"])
        struct = {"bytes": media.sound_bytes(), "path": "x.wav"}
        tables.append(
            {key: content[key] for key in (*kept, "answer")}
            | {f"image_{n}": media.image_bytes() if n <= images else None for n in range(1, 5)}
            | {f"audio_{n}": struct if n <= sounds else None for n in range(1, 5)}
            | {"video_1": "".join(f"videos/{Path(path).name}" for path in content["video_path"])}
        )
    half = len(tables) // 2
    for number, part in enumerate((tables[:half], tables[half:]), 1):
        table = pyarrow.Table.from_pylist(part)
        parquet.write_table(table, root / f"av_odyssey_part{number}.parquet")


# hub: right are PAIR, FOUR and CLIP; PLAIN is wrong, ORDER states nothing, GONE is missing.
HUB = Case(
    layout="hub",
    selection=Selection(),
    replies={
        PAIR: "B",
        FOUR: "<think>The first [audio1]?</think><answer>D</answer>",
        CLIP: "(A) Left",
        PLAIN: "The answer is A.",
        ORDER: "hard to say",
    },
    headline=3 / 6,
    groups={
        "subfield": {"Timbre": 1.0, "Space": 1.0, "Melody": 0.0, "Time": 0.0, "Hallucination": 0.0},
        "question_type_id": {"3": 1.0, "7": 1.0, "9": 0.0, "26": 0.0},
        # Pictures: PAIR and FOUR of four; videos: CLIP of two.
        "data_type": {"image_audio": 2 / 4, "video_audio": 1 / 2},
    },
)
# embedded: all are right but FOUR: 5 of 6.
EMBEDDED = Case(
    layout="embedded",
    selection=Selection(),
    replies={PAIR: "b", FOUR: "A. [audio1]", CLIP: "A", PLAIN: "C", ORDER: "B.", GONE: "No dog"},
    headline=5 / 6,
    groups={
        "subfield": {
            "Timbre": 1 / 2,
            "Space": 1.0,
            "Melody": 1.0,
            "Time": 1.0,
            "Hallucination": 1.0,
        },
        "question_type_id": {"3": 1 / 2, "7": 1.0, "9": 1.0, "26": 1.0},
    },
)
# authors: an answer outside A to D is none, the others but GONE got no reply: 1 of 6.
AUTHORS = Case(
    layout="authors",
    selection=Selection(),
    replies={GONE: "<answer>A</answer>", CLIP: "E"},
    headline=1 / 6,
    groups={"data_type": {"image_audio": 0.0, "video_audio": 1 / 2}},
)
CASES = (HUB, EMBEDDED, AUTHORS)
