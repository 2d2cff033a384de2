"""Video-MME: 900 videos from eleven seconds to an hour with three questions each.

Questions are asked without the subtitle files that the benchmark also has: the model hears the
video itself. A figure is to be read as "without subtitles, with sound".
"""

from __future__ import annotations

from pathlib import Path

from avatar_core.benchmarks.annotations import Row, annotation_rows, data_root
from avatar_core.benchmarks.fields import optional_text, raw, text, texts
from avatar_core.benchmarks.ids import content_id, unique_ids
from avatar_core.benchmarks.item import Item
from avatar_core.benchmarks.lookup import MediaFiles
from avatar_core.benchmarks.options import bare_options, option_letter
from avatar_core.benchmarks.prompts import lettered, one_letter, single_choice, worded_by_style
from avatar_core.benchmarks.registry import Benchmark, Selection, register
from avatar_core.types import MediaRef

NAME = "video_mme"
LAYOUT = """\
videomme/test-00000-of-00001.parquet  (or videomme.json, rows or columns; or videomme.jsonl)
data/<videoID>.mp4                    (or video/<videoID>.mp4, or <videoID>.mp4)"""
ANNOTATIONS = ("videomme/test-*.parquet", "test-*.parquet", "videomme.json", "videomme.jsonl")
FOLDERS = ("data/", "video/", "")
"""Where videos are looked for, in order."""
BREAKDOWNS = ("duration", "domain", "sub_category", "task_type")


def load(root: Path | None, selection: Selection) -> list[Item]:
    """All questions of the test split."""
    home = data_root(root, NAME, LAYOUT)
    files = MediaFiles(home)
    rows = annotation_rows(home, *ANNOTATIONS, layout=LAYOUT)
    return unique_ids([_item(row, files) for row in rows])


def _direct(item: Item) -> str:
    return "\n".join(
        (
            "The question below is about the video. Choose the option that is right and reply "
            f"with its letter ({one_letter(item)}) and nothing else.",
            item.question,
            lettered(item.options),
            "The best answer is:",
        )
    )


def _item(row: Row, files: MediaFiles) -> Item:
    # `video_id` is a running number; the file is named by `videoID`.
    video = text(row, "videoID")
    found = files.file(*(f"{folder}{video}.mp4" for folder in FOLDERS), place=row.place)
    question = text(row, "question")
    options = bare_options(texts(row, "options"))
    return Item(
        id=optional_text(row, "question_id") or content_id(video, question, *options),
        benchmark=NAME,
        subset="",
        media=(MediaRef("video", found.path),),
        question=question,
        options=options,
        gold=option_letter(text(row, "answer"), options, row.place),
        answer_kind="mc",
        groups={name: (kind,) for name in BREAKDOWNS if (kind := optional_text(row, name))},
        missing=found.lacking,
        raw=raw(row),
    )


VIDEO_MME = register(
    Benchmark(
        name=NAME,
        dataset=("lmms-lab/Video-MME", "lmms-eval/Video-MME"),
        items=2700,
        media="video + sound",
        metric="accuracy",
        load=load,
        ask=worded_by_style(_direct, single_choice),
        layout=LAYOUT,
    )
)
