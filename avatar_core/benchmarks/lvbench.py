"""LVBench: questions about videos of an hour or so, each of one or several capabilities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from avatar_core.benchmarks.annotations import Row, annotation_rows, data_root
from avatar_core.benchmarks.fields import optional_text, raw, text, texts
from avatar_core.benchmarks.ids import content_id, unique_ids
from avatar_core.benchmarks.item import Item
from avatar_core.benchmarks.lookup import MediaFiles
from avatar_core.benchmarks.numbered_videos import numbered_videos
from avatar_core.benchmarks.options import bare_options, option_letter, split_inline
from avatar_core.benchmarks.prompts import letter_only, single_choice, worded_by_style
from avatar_core.benchmarks.registry import Benchmark, Selection, register
from avatar_core.errors import DataError
from avatar_core.types import MediaRef

NAME = "lvbench"
LAYOUT = """\
video_info.meta.jsonl    (or lvbench.json, or the parquet files of a copy with a row per question)
all_videos/<key>.mp4     (or videos/<key>.mp4, or 00000/00000000.mp4 with 00000/00000000.json)"""
ANNOTATIONS = (
    "video_info.meta.jsonl",
    "*/video_info.meta.jsonl",
    "lvbench.json",
    "lvbench.jsonl",
    "*.parquet",
    "*/*.parquet",
)
FOLDERS = ("all_videos/", "videos/", "")
"""Where the files named by key are, in order."""


class Stated(NamedTuple):
    """A question taken apart."""

    question: str
    """Without its options."""
    options: tuple[str, ...]
    """Their texts, without letters."""


def load(root: Path | None, selection: Selection) -> list[Item]:
    """All questions of all videos."""
    home = data_root(root, NAME, LAYOUT)
    files, numbered = MediaFiles(home), numbered_videos(home)
    return unique_ids(
        [
            _item(question, files, numbered)
            for row in annotation_rows(home, *ANNOTATIONS, layout=LAYOUT)
            for question in _questions(row)
        ]
    )


def _questions(row: Row) -> Iterator[Row]:
    """Rows with one question each: of a video's list, or the row itself."""
    if "qa" not in row.fields:
        yield row
        return
    listed = row.fields["qa"]
    if not isinstance(listed, list):
        raise DataError(f"{row.place}: qa must be a list of questions; mend or remove the row")
    video = {key: value for key, value in row.fields.items() if key != "qa"}
    for number, question in enumerate(listed, 1):
        place = f"{row.place}, question {number}"
        if not isinstance(question, Mapping):
            raise DataError(f"{place}: a question must be an object; mend or remove it")
        yield Row(place, {**video, **question})


def _item(row: Row, files: MediaFiles, numbered: Mapping[str, str]) -> Item:
    path = optional_text(row, "video_path")
    key = PurePosixPath(path).stem if path else text(row, "key")
    places = ([path] if path else []) + [f"{folder}{key}.mp4" for folder in FOLDERS]
    found = files.file(*places, *([numbered[key]] if key in numbered else []), place=row.place)
    question, options = _stated(row)
    number = optional_text(row, "uid", "question_id") or content_id(question, *options)
    kinds = tuple(dict.fromkeys(texts(row, "question_type")))
    return Item(
        id=f"{key}_{number}",
        benchmark=NAME,
        subset="",
        media=(MediaRef("video", found.path),),
        question=question,
        options=options,
        gold=option_letter(text(row, "answer"), options, row.place),
        answer_kind="mc",
        groups={"question_type": kinds} if kinds else {},
        worded=optional_text(row, "processed_question"),
        missing=found.lacking,
        raw=raw(row),
    )


def _stated(row: Row) -> Stated:
    """Options of a field of their own, else of the question, else of the authors' text of it."""
    question = text(row, "question", "processed_question")
    given = bare_options(texts(row, "options"))
    if given:
        return Stated(question, given)
    stated = Stated(*split_inline(question))
    processed = optional_text(row, "processed_question")
    return stated if stated.options or not processed else Stated(*split_inline(processed))


LVBENCH = register(
    Benchmark(
        name=NAME,
        dataset=("zai-org/LVBench", "THUDM/LVBench", "lmms-eval/LVBench", "lmms-lab/LVBench"),
        items=1549,
        media="long video + sound",
        metric="accuracy",
        load=load,
        ask=worded_by_style(letter_only, single_choice),
        layout=LAYOUT,
        splits=("train",),
    )
)
