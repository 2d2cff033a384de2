"""Files of questions to ask in one go: rows of training data, or simpler ones.

A simple row has `video`, a file or a list of files of any kind, and `question`; `id`, `start` and
`end` may be left out. All other rows are read as training data are, but need no solution; where
they have one and name its `problem_type`, their answers are scored. What is wrong with a row stands
in its place, so that the others are answered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from avatar_core.choices import option_texts
from avatar_core.data.dialects import draft_of
from avatar_core.data.fields import id_of
from avatar_core.data.identity import content_mark, default_id
from avatar_core.data.media_files import MEDIA_KEYS, media_refs
from avatar_core.data.samples import sample_from_row
from avatar_core.data.turns import untagged
from avatar_core.errors import DataError
from avatar_core.inference.files import kind_of
from avatar_core.json_rows import Row, read_rows
from avatar_core.media_root import MediaRoot
from avatar_core.naming import numbered
from avatar_core.types import MediaRef, Sample
from avatar_core.wording import question_text


class Question(NamedTuple):
    """One row of a file of questions."""

    id: str
    """As given, else a digest of what is asked; with a number behind it where it repeats."""
    text: str
    """The question with its options; empty for a row that cannot be read."""
    media: tuple[MediaRef, ...]
    """What is shown before it, in order."""
    error: str | None
    """What is wrong with the row, with file and line."""
    sample: Sample | None = None
    """The row as a training sample, where it is one: its answer can be scored."""


def read_questions(path: Path) -> list[Question]:
    """Read a file of questions.

    Args:
        path: JSON Lines, or a JSON file that holds an array; media are below its directory.

    Raises:
        DataError: the file cannot be read, or has no rows.
    """
    root, mark = MediaRoot(path.parent), cache(content_mark)
    found = [_read(row, root, mark) for row in read_rows(path)]
    if not found:
        raise DataError(f"{path}: has no rows; give a file with one JSON object per line")
    names = numbered([question.id for question in found])
    return [question._replace(id=name) for question, name in zip(found, names, strict=True)]


def question_of(row: Mapping[str, Any], root: MediaRoot, mark: Callable[[str], str]) -> Question:
    """The question of a row.

    Args:
        row: decoded JSON object.
        root: directory that its media paths must lie in.
        mark: stands for the content of a file, for rows without an id.

    Raises:
        DataError: the row is not sound; names the key, not the file.
    """
    draft = draft_of(with_kinds(row))
    words, kinds = untagged(draft.text)
    if not words:
        raise DataError("the question is empty; give its text")
    options = option_texts(draft.given["options"])
    media = windowed(media_refs(draft.media, kinds, root), row)
    name = id_of(draft.given["id"]) or default_id(words, options, media, mark)
    asked = Sample(name, words, media, "", "free-form", options)
    return Question(name, question_text(asked), media, None, scorable(row, root, mark))


def scorable(row: Mapping[str, Any], root: MediaRoot, mark: Callable[[str], str]) -> Sample | None:
    """A row as a training sample; `None` without a solution, or without all that scoring takes."""
    if row.get("solution") is None:
        return None
    try:
        return sample_from_row(with_kinds(row), root, mark)
    except DataError:
        return None


def with_kinds(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """A row with the files of `video` under the keys of their kinds; as it is without one.

    Raises:
        DataError: `video` names no file, or files are named elsewhere, too.
    """
    given = row.get("video")
    if given is None:
        return row
    names = [given] if isinstance(given, str) else given
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise DataError("video must be a file path or a list of file paths")
    if twice := [key for key in MEDIA_KEYS.values() if row.get(key)]:
        raise DataError(f"both video and {twice[0]} are given; name all files in one of them")
    files = {
        key: [name for name in names if kind_of(Path(name)) == kind]
        for kind, key in MEDIA_KEYS.items()
    }
    return {**{key: value for key, value in row.items() if key != "video"}, **files}


def windowed(media: tuple[MediaRef, ...], row: Mapping[str, Any]) -> tuple[MediaRef, ...]:
    """The only file of a row with the row's `start` and `end`; all as they are without these.

    Raises:
        DataError: the window is none, or it is not clear what it is of.
    """
    start, end = (_second(row.get(key), key) for key in ("start", "end"))
    if start is None and end is None:
        return media
    if len(media) != 1 or media[0].kind == "image":
        raise DataError("start and end are for rows with one video or sound; leave them out")
    if end is not None and end <= (start or 0.0):
        raise DataError(f"end {end:g} is not after start {start or 0:g}; widen the window")
    return (replace(media[0], start=start, end=end),)


def _second(value: object, key: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise DataError(f"{key} {str(value)[:60]!r} is no second of the file; give a number")
    return float(value)


def _read(row: Row, root: MediaRoot, mark: Callable[[str], str]) -> Question:
    """The question of a row, or what is wrong with it under the id it has or its place."""
    try:
        if isinstance(row.content, DataError):
            raise row.content
        return question_of(row.content, root, mark)
    except DataError as error:
        name = None if isinstance(row.content, DataError) else row.content.get("id")
        known = isinstance(name, str | int) and not isinstance(name, bool) and str(name).strip()
        return Question(str(name) if known else row.name, "", (), f"{row.place}: {error}")
