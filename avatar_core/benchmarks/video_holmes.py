"""Video-Holmes: questions about short suspense films that need clues from several places."""

from __future__ import annotations

from pathlib import Path

from avatar_core.benchmarks.annotations import Row, annotation_rows, data_root
from avatar_core.benchmarks.fields import optional_text, raw, text
from avatar_core.benchmarks.ids import content_id, unique_ids
from avatar_core.benchmarks.item import Item
from avatar_core.benchmarks.lookup import MediaFiles
from avatar_core.benchmarks.options import option_letter, options_by_letter
from avatar_core.benchmarks.prompts import lettered, single_choice, worded_by_style
from avatar_core.benchmarks.registry import Benchmark, Selection, register
from avatar_core.types import MediaRef

LAYOUT = """\
test_Video-Holmes.json
videos/<video ID>.mp4              (or videos_cropped/, or video/)"""
FOLDERS = ("videos", "videos_cropped", "video")
"""Where copies of the archive have been seen unpacked."""


def load(root: Path | None, selection: Selection) -> list[Item]:
    """All items of a split."""
    base = data_root(root, "video_holmes", LAYOUT)
    name = f"{selection.split}_Video-Holmes.json"
    rows = annotation_rows(base, name, f"Benchmark/{name}", f"data/{name}", layout=LAYOUT)
    files = MediaFiles(base)
    return unique_ids([_item(row, files) for row in rows])


def _item(row: Row, files: MediaFiles) -> Item:
    video = text(row, "video ID").strip()
    question = text(row, "Question").strip()
    options = options_by_letter(row, "Options")
    found = files.file(
        *(f"{folder}/{video}.mp4" for folder in FOLDERS), f"{video}.mp4", place=row.place
    )
    number = optional_text(row, "Question ID") or content_id(question, *options)
    kind = optional_text(row, "Question Type")
    return Item(
        id=f"{video}_{number.strip()}",
        benchmark="video_holmes",
        subset="",
        media=(MediaRef("video", found.path),),
        question=question,
        options=options,
        gold=option_letter(text(row, "Answer"), options, row.place),
        answer_kind="mc",
        groups={"question_type": (kind.strip(),)} if kind else {},
        missing=found.lacking,
        raw=raw(row),
    )


def _official(item: Item) -> str:
    return (
        "Reason about the video to settle this question; one of its options is right. The "
        "reasoning goes between <think> and </think>, the letter of the option after it between "
        f"<answer> and </answer>.\nQuestion: {item.question}\n"
        f"Options: {lettered(item.options, '{letter}: {text}', ', ')}"
    )


VIDEO_HOLMES = register(
    Benchmark(
        name="video_holmes",
        dataset=("TencentARC/Video-Holmes",),
        items=1837,
        media="video",
        metric="accuracy",
        load=load,
        ask=worded_by_style(_official, single_choice),
        layout=LAYOUT,
        splits=("test", "train"),
    )
)
