"""OmniBench in miniature: seven questions about a picture and a sound each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow
from pyarrow import parquet

from avatar_core.benchmarks.registry import Selection
from tests.benchmarks.kit import media
from tests.benchmarks.kit.case import Case

NAME = "omnibench"
LAYOUTS = ("hub", "lmms", "authors")
SHARDS = {"hub": 1, "lmms": 2}
MISSING = "9_041.mp4.mp3"
"""Sound that the authors' layout lacks."""


def _row(
    index: int, kinds: tuple[str, str], names: tuple[str, str], question: str, answer: str,
    *options: str,
) -> dict[str, Any]:  # fmt: skip
    return {
        "task type": kinds[0],
        "audio type": kinds[1],
        "question": question,
        "audio content": "A: invented words",
        "image content": "An invented scene.",
        "audio_path": names[1],
        "image_path": names[0],
        "index": index,
        "answer": answer,
        "options": list(options),
    }


ROWS = (
    _row(
        12, ("Plot Inference", "speech"), ("1_007.png", "1_07.mp3"), "What will he do next?",
        "He leaves the room.", "He sits down.", "He leaves the room.", "He sings.", "He waits.",
    ),
    # Type with other capitals and spaces; a name with three suffixes.
    _row(
        13, ("Plot Inference", " Sound Event"), ("6-0044.png", "6-0044.mp4.mp3.mp3"),
        "What falls?", "A man drops a plate.", "A man drops a plate.", "A cup", "A book", "Snow",
    ),
    # Golds that are letters themselves: notes, not in order.
    _row(
        14, ("Text and Symbols", "music"), ("note.jpg", "note.mp3"), "Which note is missing?",
        "B", "D", "A", "B", "C",
    ),
    # The gold differs from its option by case and spaces.
    _row(
        20, ("Action and Activity", "Speech "), ("2_011.png", "2_011.mp3"), "What happens?",
        "she Waves  goodbye", "She smiles", "She turns", "She knits", "She waves goodbye",
    ),
    # The same pair of files again; a gold with spaces around it.
    _row(
        21, ("Action and Activity", "speech"), ("2_011.png", "2_011.mp3"), "Whom does she meet?",
        " Her son ", "Her aunt", "Nobody", "Her son", "A guard",
    ),
    # Another picture has the sound's name; the sound itself is missing in the authors' layout.
    _row(
        41, ("Identity and Relationship", "sound event"), ("9_041.mp4.png", MISSING),
        "Who plays?", "A child", "A child", "A band", "A bird", "Nobody",
    ),
    _row(
        42, ("Count and Quantity", "music"), ("9_042.png", "9_042.mp3"), "How many drums?",
        "2", "1", "2", "3", "4",
    ),
)  # fmt: skip


def write(root: Path, layout: str, *, reverse: bool = False) -> None:
    """Write the miniature data set: tables with the media inside, or the authors' folders."""
    rows = list(reversed(ROWS)) if reverse else list(ROWS)
    if layout == "authors":
        (root / "dataset").mkdir(parents=True)
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (root / "dataset" / "batch-5_7_20240101.jsonl").write_text(lines, encoding="utf-8")
        for row in ROWS:
            media.image(root / "mm_data" / "image" / row["image_path"])
            if row["audio_path"] != MISSING:
                media.sound(root / "mm_data" / "audio" / row["audio_path"])
        return
    (root / "data").mkdir(parents=True)
    shards = SHARDS[layout]
    for number in range(shards):
        table = pyarrow.Table.from_pylist([_embedded(row) for row in rows[number::shards]])
        name = f"train-{number:05}-of-{shards:05}.parquet"
        parquet.write_table(table, root / "data" / name)


def _embedded(row: dict[str, Any]) -> dict[str, Any]:
    text = {name: value for name, value in row.items() if not name.endswith("_path")}
    return {
        **text,
        "audio": {"bytes": media.sound_bytes(), "path": row["audio_path"]},
        "image": {"bytes": media.image_bytes(), "path": row["image_path"]},
    }


REPLIES = {
    "12": "<think>He grabs his coat.</think><answer>b</answer>",  # right
    "13": "A. A man drops a plate.",  # right: the second A is an article
    "14": "C",  # right: the letter of the option "B"
    "20": "D",  # right
    "21": "<answer>A</answer>",  # wrong; gold C
    "42": "two",  # wrong: no option is stated; gold B
}
TABLE_GROUPS = {
    "audio_type": {"speech": 2 / 3, "sound event": 2 / 2, "music": 1 / 2},
    "task_type": {
        "Plot Inference": 1.0,
        "Text and Symbols": 1.0,
        "Action and Activity": 1 / 2,
        "Identity and Relationship": 1.0,
        "Count and Quantity": 0.0,
    },
}
CASES = (
    # All media are in the tables; 12, 13, 14, 20 and 41 are right.
    *(
        Case(layout, Selection(), {**REPLIES, "41": "(A)"}, headline=5 / 7, groups=TABLE_GROUPS)
        for layout in ("hub", "lmms")
    ),
    # The sound of 41 is missing: 4 of 7.
    Case(
        "authors",
        Selection(),
        REPLIES,
        headline=4 / 7,
        groups={
            "audio_type": {"speech": 2 / 3, "sound event": 1 / 2, "music": 1 / 2},
            "task_type": {**TABLE_GROUPS["task_type"], "Identity and Relationship": 0.0},
        },
    ),
)
