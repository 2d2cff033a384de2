"""TOMATO: six kinds of reasoning about motion, three to seven options.

The benchmark's own protocol shows 16 frames at equal distances; how many frames are shown here is
for the media settings to say.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from avatar_core.benchmarks.annotations import KEY, Row, annotation_rows, data_root
from avatar_core.benchmarks.fields import optional_text, raw, text, texts
from avatar_core.benchmarks.ids import content_id, unique_ids
from avatar_core.benchmarks.item import Item
from avatar_core.benchmarks.lookup import Found, MediaFiles
from avatar_core.benchmarks.options import Inline, bare_options, option_letter, split_inline
from avatar_core.benchmarks.prompts import single_choice, worded_by_style
from avatar_core.benchmarks.registry import Benchmark, Selection, register
from avatar_core.choices import LETTERS
from avatar_core.errors import DataError
from avatar_core.types import MediaRef

NAME = "tomato"
LAYOUT = """\
data/count-00000-of-00001.parquet         (and five more; or data/count.json and five more;
                                           or data/test-*.parquet or tomato.json with all)
videos/<demonstration type>/<key>.mp4     (human, object, simulated)"""
TYPES = {
    "count": "count",
    "direction": "direction",
    "rotation": "rotation",
    "shape_trend": "shape&trend",
    "velocity_frequency": "velocity&frequency",
    "visual_cues": "visual_cues",
}
"""Reasoning types, and the stem of the JSON file of each."""
WHOLE = ("data/test-*.parquet", "test-*.parquet", "tomato.json", "tomato.jsonl")
"""Files with the questions of all types; the GitHub and hub ones have a type each."""
DEMONSTRATIONS = ("human", "object", "simulated")
SYSTEM = "You are an expert in how objects move, turn and change shape over time."


class Typed(NamedTuple):
    """A row and its reasoning type."""

    kind: str | None
    """One of `TYPES`, unless the row says something else; `None` when it says nothing."""
    row: Row
    """The row."""


def load(root: Path | None, selection: Selection) -> list[Item]:
    """All questions, or those of one reasoning type."""
    home = data_root(root, NAME, LAYOUT)
    files = MediaFiles(home)
    rows = _rows(home, selection.subset or "all")
    return unique_ids([_item(typed, files, home.resolve()) for typed in rows])


def _official(item: Item) -> str:
    """The question with its options by letter."""
    options = dict(zip(LETTERS, item.options, strict=False))
    return (
        f"The question is about the video. Options are given by letter.\n{item.question}\n"
        f"{json.dumps(options, ensure_ascii=False)}\n"
        "Reply with the letter of one option. If you are not sure, take the likeliest: a reply "
        "that the question cannot be decided is not accepted."
    )


def _rows(home: Path, subset: str) -> Iterator[Typed]:
    if any(path for pattern in WHOLE for path in home.glob(pattern)):
        for row in annotation_rows(home, *WHOLE, layout=LAYOUT):
            if (kind := _stated_type(row, subset)) == subset or subset == "all":
                yield Typed(kind, row)
        return
    for kind in TYPES if subset == "all" else (subset,):
        names = (f"data/{kind}-*.parquet", f"{kind}-*.parquet", f"data/{TYPES[kind]}.json")
        for row in annotation_rows(home, *names, layout=LAYOUT):
            yield Typed(kind, row)


def _stated_type(row: Row, subset: str) -> str | None:
    """Type by a row's own word; without one it may be asked only among all questions."""
    stated = optional_text(row, "motion_type", "reason_type")
    kind = re.sub(r"[^a-z]+", "_", stated.casefold()) if stated else None
    if subset != "all" and kind not in TYPES:
        raise DataError(
            f"{row.place}: motion_type {stated!r} is none of {', '.join(TYPES)}; "
            "mend the row, or ask the questions of all types"
        )
    return kind


def _item(typed: Typed, files: MediaFiles, home: Path) -> Item:
    kind, row = typed
    question, options = _wording(row)
    key, path = optional_text(row, "key"), optional_text(row, "video_path")
    demonstration = optional_text(row, "demonstration_type") or _folder(path or "")
    found = _video(row, demonstration, files, home)
    own = optional_text(row, KEY, "id", "question_id")
    own = own or content_id(key or path or "", question, *options)
    groups = {"reasoning_type": kind, "demonstration_type": demonstration}
    return Item(
        id=f"{kind}/{own}" if kind else own,
        benchmark=NAME,
        subset=kind or "",
        media=(MediaRef("video", found.path),),
        question=question,
        options=options,
        gold=option_letter(row.fields.get("answer"), options, row.place),
        answer_kind="mc",
        groups={name: (category,) for name, category in groups.items() if category},
        worded=optional_text(row, "processed_question"),
        missing=found.lacking,
        raw=raw(row),
    )


def _wording(row: Row) -> Inline:
    """Question and options; those of the authors' file stand in one of its two questions."""
    question = text(row, "question", "processed_question")
    if given := bare_options(texts(row, "options")):
        return Inline(question, given)
    inline = split_inline(question)
    if inline.options:
        return inline
    return Inline(question, split_inline(text(row, "processed_question")).options)


def _video(row: Row, demonstration: str | None, files: MediaFiles, home: Path) -> Found:
    key, path = optional_text(row, "key"), optional_text(row, "video_path")
    places = [f"videos/{demonstration}/{key}.mp4"] if key and demonstration else []
    places += [path, f"videos/{path}"] if path else []
    if not places:
        raise DataError(f"{row.place}: names no video; give key and demonstration_type")
    found = files.file(*places, place=row.place)
    if demonstration and _folder(found.path) not in (None, demonstration):
        # The same key in the folder of another type is another video.
        return Found(str(home / places[0]), missing=True)
    return found


def _folder(path: str) -> str | None:
    """The demonstration type that a video's folder is named by."""
    name = PurePosixPath(path).parent.name
    return name if name in DEMONSTRATIONS else None


TOMATO = register(
    Benchmark(
        name=NAME,
        dataset=("yale-nlp/TOMATO", "lmms-eval/TOMATO", "lmms-lab/TOMATO"),
        items=1484,
        media="video",
        metric="accuracy",
        load=load,
        ask=worded_by_style(_official, single_choice),
        layout=LAYOUT,
        system={"official": SYSTEM},
        subsets=("all", *TYPES),
    )
)
