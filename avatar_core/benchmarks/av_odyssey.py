"""AV-Odyssey: sounds matched with pictures or a video, named by placeholders in the question."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from avatar_core.benchmarks.annotations import Row, annotation_rows, data_root
from avatar_core.benchmarks.embedded import embedded_file, payload
from avatar_core.benchmarks.fields import optional_text, raw, text, texts
from avatar_core.benchmarks.ids import unique_ids
from avatar_core.benchmarks.item import Item, PromptStyle
from avatar_core.benchmarks.lookup import Found, MediaFiles
from avatar_core.benchmarks.options import bare_options, option_letter
from avatar_core.benchmarks.prompts import letter_only, media_first, reasoned, single_choice
from avatar_core.benchmarks.registry import Benchmark, Selection, register
from avatar_core.errors import DataError
from avatar_core.types import Content, MediaKind, MediaRef

NAME = "av_odyssey"
LAYOUT = """\
av_odyssey.parquet or av_odyssey.json, and the unpacked media that its paths name
(or av_odyssey_part1.parquet to av_odyssey_part6.parquet, which hold the media)"""
ANNOTATIONS = (
    "av_odyssey.parquet",
    "av_odyssey_part*.parquet",
    "av_odyssey.json",
    "av_odyssey.jsonl",
    "*/*.parquet",
)
KINDS: tuple[MediaKind, ...] = ("image", "video", "audio")
"""In the order in which their files are listed."""
COLUMNS = 4
"""Most media of one kind that a row embeds."""
BREAKDOWNS = ("subfield", "question_type_id", "data_type")
_PLACEHOLDER = re.compile(r"\[\s*(img|image|video|audio)\s*(\d{1,2})\s*\]", re.IGNORECASE)


class Shown(NamedTuple):
    """One medium of a question."""

    ref: MediaRef
    """Where it is, or where it was looked for first."""
    missing: bool
    """There is no such file."""


def load(root: Path | None, selection: Selection) -> list[Item]:
    """All questions of the test split."""
    home = data_root(root, NAME, LAYOUT)
    files = MediaFiles(home)
    return unique_ids(
        [_item(row, files) for row in annotation_rows(home, *ANNOTATIONS, layout=LAYOUT)]
    )


def ask(item: Item, style: PromptStyle) -> Content:
    """Each medium where the text names it; of the authors' style all media first, names kept."""
    if style == "authors":
        return media_first(item, single_choice(item, subject="multimodal content"))
    return interleaved(item, reasoned(item) if style == "think" else letter_only(item))


def interleaved(item: Item, wording: str) -> Content:
    """A text with each placeholder replaced by its medium.

    Media that the text does not name come first. A placeholder of media that are not shown stays.
    """
    parts: list[MediaRef | str] = []
    end = 0
    for match in _PLACEHOLDER.finditer(wording):
        medium = _named(item.media, match)
        if medium is not None:
            parts += [wording[end : match.start()], medium]
            end = match.end()
    parts.append(wording[end:])
    unnamed = [medium for medium in item.media if medium not in parts]
    return (*unnamed, *(part for part in parts if part != ""))


def _named(media: tuple[MediaRef, ...], match: re.Match[str]) -> MediaRef | None:
    name = match[1].lower()
    refs = [ref for ref in media if ref.kind == ("image" if name == "img" else name)]
    return refs[int(match[2]) - 1] if 1 <= int(match[2]) <= len(refs) else None


def _item(row: Row, files: MediaFiles) -> Item:
    shown = list(_media(row, files))
    question = text(row, "question")
    options = bare_options(texts(row, "options"))
    media = tuple(medium.ref for medium in shown)
    for match in _PLACEHOLDER.finditer("\n".join((question, *options))):
        if _named(media, match) is None:
            raise DataError(
                f"{row.place}: the text names {match[0]}, which the row does not have; "
                "mend or remove the row"
            )
    return Item(
        id=text(row, "question_id").strip(),
        benchmark=NAME,
        subset="",
        media=media,
        question=question,
        options=options,
        gold=option_letter(text(row, "answer"), options, row.place),
        answer_kind="mc",
        groups={
            name: (text(row, name).strip(),) for name in BREAKDOWNS if optional_text(row, name)
        },
        missing=tuple(medium.ref.path for medium in shown if medium.missing),
        raw=raw(row),
    )


def _media(row: Row, files: MediaFiles) -> Iterator[Shown]:
    """Media of a row, images before videos before sounds: its lists of paths, or its columns."""
    for kind in KINDS:
        columns = [f"{kind}_{number}" for number in range(1, COLUMNS + 1)]
        given = [(column, row.fields.get(column)) for column in columns]
        for column, value in [(kind, path) for path in texts(row, f"{kind}_path")] + given:
            if value:
                found = _found(row, value, kind, column, files)
                yield Shown(MediaRef(kind, found.path), found.missing)


def _found(row: Row, value: object, kind: MediaKind, column: str, files: MediaFiles) -> Found:
    content, path = payload(value)
    if path is not None and not content:
        # An archive unpacked into a folder of its own name repeats the first folder of the path.
        repeated = "/".join((*PurePosixPath(path).parts[:1], path))
        return files.file(path, repeated, place=row.place)
    return Found(embedded_file(value, kind, name=f"{row.place}: {column}"), missing=False)


AV_ODYSSEY = register(
    Benchmark(
        name=NAME,
        dataset=("AV-Odyssey/AV_Odyssey_Bench_LMMs_Eval", "AV-Odyssey/AV_Odyssey_Bench"),
        items=4555,
        media="sounds, images, video",
        metric="accuracy",
        load=load,
        ask=ask,
        layout=LAYOUT,
    )
)
