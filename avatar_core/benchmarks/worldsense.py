"""WorldSense: videos of eight domains that have to be seen and heard, three or four options."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from avatar_core.benchmarks.annotations import KEY, Row, annotation_rows, data_root
from avatar_core.benchmarks.fields import optional_text, raw, text, texts
from avatar_core.benchmarks.ids import content_id, unique_ids
from avatar_core.benchmarks.item import Item
from avatar_core.benchmarks.lookup import MediaFiles
from avatar_core.benchmarks.options import bare_options, option_letter
from avatar_core.benchmarks.prompts import lettered, one_letter, single_choice, worded_by_style
from avatar_core.benchmarks.registry import Benchmark, Selection, register
from avatar_core.errors import DataError
from avatar_core.types import MediaRef

NAME = "worldsense"
LAYOUT = """\
worldsense_qa.json       (or the parquet files of the copy with one row per question)
videos/<video id>.mp4    (or <video id>.mp4)"""
ANNOTATIONS = ("worldsense_qa.json", "*.parquet", "data/*.parquet", "*/*.parquet")
BREAKDOWNS = ("domain", "task_domain", "task_type", "duration")
"""Breakdowns in which an item has one category; in `audio_class` it may have several."""
_TASK = re.compile(r"task\d+")


def load(root: Path | None, selection: Selection) -> list[Item]:
    """All questions of all videos."""
    home = data_root(root, NAME, LAYOUT)
    files = MediaFiles(home)
    return unique_ids(
        [
            _item(question, files)
            for row in annotation_rows(home, *ANNOTATIONS, layout=LAYOUT)
            for question in _questions(row)
        ]
    )


def _attentive(item: Item) -> str:
    return "\n".join(
        (
            "Follow the video closely and miss no detail of what is seen and heard.",
            "You are given frames of the video and the sound that goes with them. Pick the option "
            "that answers the question below best and reply with nothing but its letter "
            f"({one_letter(item)}).",
            item.question,
            lettered(item.options),
        )
    )


def _questions(row: Row) -> Iterator[Row]:
    """Rows with one question each: of one video's tasks, or the row itself."""
    tasks = [key for key in row.fields if _TASK.fullmatch(key)]
    if not tasks:
        yield row
        return
    video = {key: value for key, value in row.fields.items() if key not in tasks}
    for key in tasks:
        task, place = row.fields[key], f"{row.place}, {key}"
        if task is None and len(tasks) > 1:
            # A table has a column for every task that any of its videos has.
            continue
        if not isinstance(task, Mapping):
            raise DataError(f"{place}: a task must be an object; mend or remove it")
        yield Row(place, {**video, **task, "task": key})


def _item(row: Row, files: MediaFiles) -> Item:
    path = optional_text(row, "video_path")
    video = PurePosixPath(path).stem if path else text(row, KEY, "video_id")
    found = files.file(
        *([path] if path else []), f"videos/{video}.mp4", f"{video}.mp4", place=row.place
    )
    question = text(row, "question")
    options = bare_options(texts(row, "candidates", "options"))
    number = optional_text(row, "task", "index") or content_id(question, *options)
    return Item(
        id=f"{video}_{number}",
        benchmark=NAME,
        subset="",
        media=(MediaRef("video", found.path),),
        question=question,
        options=options,
        gold=option_letter(text(row, "answer"), options, row.place),
        answer_kind="mc",
        groups=_groups(row),
        missing=found.lacking,
        raw=raw(row),
    )


def _groups(row: Row) -> dict[str, tuple[str, ...]]:
    single = {name: optional_text(row, name) for name in BREAKDOWNS}
    groups: dict[str, tuple[str, ...]] = {
        name: (category.strip(),) for name, category in single.items() if category
    }
    classes = tuple(dict.fromkeys(texts(row, "audio_class")))
    return groups | ({"audio_class": classes} if classes else {})


WORLDSENSE = register(
    Benchmark(
        name=NAME,
        dataset=("honglyhly/WorldSense", "lmms-lab/worldsense"),
        items=3172,
        media="video + sound",
        metric="accuracy",
        load=load,
        ask=worded_by_style(_attentive, single_choice),
        layout=LAYOUT,
    )
)
