"""Video-TT in miniature: questions with the options in the text, and open ones, by split."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas

from avatar_core.benchmarks.registry import Selection
from tests.benchmarks.kit import media
from tests.benchmarks.kit.case import Case

NAME = "video_tt"
LAYOUTS = ("hub", "jsonl")
MONTAGE, PLOT, COLOUR = "Plot Attribute (Montage)", "Plot Attribute", "Element Attributes (Optic)"


def row(
    qid: str, video: str, capability: str, question: str, prompt: str, answer: str
) -> dict[str, Any]:
    return {
        "qid": qid,
        "video_id": video,
        "capability": capability,
        "question": question,
        "question_prompt": prompt,
        "duration": 31,
        "answer": answer,
        "youtube_url": f"https://video.example/{video}",
    }


PICK = "Please select one of the options."
FREE = "Answer in a few words."
CHOICES = [
    row("0001-0", "012", MONTAGE, "Why is it odd?\nA. Cut\nB. Gag\nC. Size\nD. Speed", PICK, "A"),
    row("0002-0", "013", PLOT, "Who wins?\nA. A cat\nB. A dog\nC. Both\nD. Nobody", PICK, "B"),
    row("0003-0", "013", PLOT, "What is\nhidden?\nA. Key\nB. Coin\nC. Note", PICK, "C"),
    row("0004-0", "014", COLOUR, "What colour?\nA. Red\nB. Grey\nC. Pink\nD. Blue", "", "D"),
]
OPEN = [
    row("0001-1", "012", MONTAGE, "Why does it look odd?", FREE, "It is played backwards."),
    row("0002-1", "013", PLOT, "Who wins in the end?\nA. is the cat.", FREE, "the dog"),
]
SPLITS = {
    "test": CHOICES,
    "test_mc_new": [
        {**row, "question": f"A clip of seconds.\n{row['question']}"} for row in CHOICES[:2]
    ],
    "test_no_leading_oe": OPEN,
    "test_paraphrased_oe": OPEN[:1],
    "test_correctly_led_oe": OPEN[:1],
    "test_wrongly_led_oe": OPEN[1:],
    "test_all": OPEN,
}


def write(root: Path, layout: str, *, reverse: bool = False) -> None:
    data = root / "data"
    data.mkdir(parents=True)
    for split, rows in SPLITS.items():
        ordered = rows[::-1] if reverse else rows
        if layout == "hub":
            pandas.DataFrame(ordered).to_parquet(data / f"{split}-00000-of-00001.parquet")
        else:
            lines = "".join(json.dumps(row) + "\n" for row in ordered)
            (root / f"{split}.jsonl").write_text(lines)
    if layout == "hub":  # 014 is missing
        media.video(root / "Benchmark-AllVideos-LQ" / "012.mp4")
        media.video(root / "Benchmark-AllVideos-LQ" / "013.MP4")
        return
    for name in ("012.mp4", "013.mkv", "014.mp4"):
        media.video(root / "video" / name)


REPLIES = {
    "0001-0": "Option A, it runs backwards",
    "0002-0": "A cat",  # text of a wrong option
    "0003-0": "<think>D is none of them</think><answer>C</answer>",
}
CASES = (
    # 2 of 4; the last one's video is missing. The two kinds of plot questions stay apart.
    Case(
        "hub",
        Selection(),
        REPLIES,
        headline=0.5,
        groups={"capability": {MONTAGE: 1.0, PLOT: 0.5, COLOUR: 0.0}},
    ),
    Case("jsonl", Selection(), {**REPLIES, "0004-0": "D"}, headline=0.75),
    Case("hub", Selection(split="test_mc_new"), {"0002-0": "B. A dog"}, headline=0.5),
    # One reply is the gold text but for case and the final dot; the other says the same in other
    # words, which no comparison of texts can tell.
    Case(
        "hub",
        Selection(split="test_no_leading_oe"),
        {"0001-1": "The film runs in reverse.", "0002-1": "The dog."},
        headline=0.5,
        figures={"open_items": 2.0, "open_exact": 0.5},
    ),
)
