"""Training data: one question about some media per row, checked before anything starts.

A file holds one JSON object per line or an array of them, in any of the shapes of `dialects`.
Nothing is guessed: an unsound row is an error with file and line. Fields without a meaning here are
kept in `Sample.extra`. `audio_cues`, the captions of what is heard, are among them: the judge reads
them, and the model is told them only where the text of the question does. A `hint` stays apart from
the question as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from avatar_core.choices import gold_letter, option_texts
from avatar_core.data.dialects import Draft, draft_of, misspelt
from avatar_core.data.fields import (
    check_cues,
    id_of,
    optional_text,
    problem_type_of,
    solution_of,
    stage_of,
    trace_of,
)
from avatar_core.data.identity import content_mark, default_id
from avatar_core.data.media_files import media_refs
from avatar_core.data.turns import untagged
from avatar_core.errors import DataError
from avatar_core.json_rows import read_rows
from avatar_core.media_root import MediaRoot
from avatar_core.types import ProblemType, Sample

LISTED = 100
"""Problems of a file that are listed one by one."""


class Placed(NamedTuple):
    """A sample and where it stands."""

    sample: Sample
    place: str
    """`file:line`, with the row's number for a row of an array."""


class Problems(NamedTuple):
    """All that is wrong with the rows of a file."""

    listed: tuple[str, ...]
    """One line each, with file and line, in file order; the first ones when there are many."""
    total: int
    """Unsound rows, the listed and the others."""
    rows: int
    """Rows of the file."""


def read_samples(path: Path, *, media_root: Path | None = None) -> list[Sample]:
    """Read a file of training samples.

    A row without an id gets one from its question, its options and the content of its media, so
    that it keeps its identity when the file is sorted or moved.

    Args:
        path: JSON Lines, or a JSON file that holds an array.
        media_root: directory that every media path must lie in; by default the file's own.

    Raises:
        DataError: the file is not readable or empty, or a row is unsound; names file and line.
    """
    return [sample for sample, _ in read_placed(path, media_root=media_root)]


def read_placed(path: Path, *, media_root: Path | None = None) -> list[Placed]:
    """The samples of a file, each with its place; see `read_samples`."""
    found: list[Placed] = []
    for outcome in _outcomes(path, media_root):
        if isinstance(outcome, DataError):
            raise outcome
        found.append(outcome)
    if not found:
        raise DataError(f"{path}: has no rows; give a file with one JSON object per line")
    return found


def check_samples(
    path: Path,
    *,
    media_root: Path | None = None,
    limit: int = LISTED,
    also: Callable[[Placed], DataError | None] = lambda _: None,
) -> Problems:
    """Everything that is wrong with a file, the first problem of each row.

    Args:
        path: as for `read_samples`.
        media_root: as for `read_samples`.
        limit: how many problems to list; the others are counted.
        also: what else is wrong with a row that can be read, with its place; called in file order.

    Raises:
        DataError: the file as a whole cannot be read.
    """
    listed: list[str] = []
    total = rows = 0
    for outcome in _outcomes(path, media_root):
        rows += 1
        problem = outcome if isinstance(outcome, DataError) else also(outcome)
        if problem is not None:
            total += 1
            if total <= limit:
                listed.append(str(problem))
    return Problems(tuple(listed), total, rows)


def sample_from_row(
    row: Mapping[str, Any], root: MediaRoot, mark: Callable[[str], str] = content_mark
) -> Sample:
    """Turn one row into a sample.

    Args:
        row: decoded JSON object.
        root: directory that its media paths must lie in.
        mark: stands for the content of a file, for rows without an id.

    Raises:
        DataError: the row is not sound; names the key, not the file.
    """
    draft = draft_of(row)
    given = draft.given
    question, kinds = untagged(draft.text)
    if not question:
        raise DataError("the question is empty; give its text")
    problem_type = _problem_type(draft, row)
    options = option_texts(given["options"])
    solution = _solution(given["solution"], problem_type, options)
    media = media_refs(draft.media, kinds, root)
    check_cues(draft.extra.get("audio_cues"))
    response = optional_text(draft.response, "response") or trace_of(draft.reasoning, solution)
    return Sample(
        id=id_of(given["id"]) or default_id(question, options, media, mark),
        question=question,
        media=media,
        solution=solution,
        problem_type=problem_type,
        options=options,
        responses=(response,) if response else (),
        stage=stage_of(given["stage"]),
        hint=optional_text(given["hint"], "hint"),
        extra=draft.extra,
    )


def _outcomes(path: Path, media_root: Path | None) -> Iterator[Placed | DataError]:
    """Each row's sample, or what is wrong with the row."""
    root = MediaRoot(path.parent if media_root is None else media_root)
    mark = cache(content_mark)
    names: dict[str, str] = {}
    for row in read_rows(path):
        try:
            if isinstance(row.content, DataError):
                raise row.content
            sample = sample_from_row(row.content, root, mark)
            if sample.id in names:
                raise _twice(row.content, sample.id, names[sample.id])
        except DataError as error:
            yield DataError(f"{row.place}: {error}")
        else:
            names[sample.id] = row.name
            yield Placed(sample, row.place)


def _twice(row: Mapping[str, Any], name: str, first: str) -> DataError:
    """That a row has the id of an earlier one, which is told only when somebody gave it."""
    if draft_of(row).given["id"] is None:
        return DataError(f"the same question, options and media as {first}; remove one of the rows")
    return DataError(
        f"id {name[:60]!r} is that of {first} as well; "
        "remove one of the rows or give them ids of their own"
    )


def _problem_type(draft: Draft, row: Mapping[str, Any]) -> ProblemType:
    """The problem type that a row names, or that of the authors' third stage, which names none.

    Its rows have audio captions and are asked where the sounds come from; their solutions are
    `position: object` pairs, or free text that a judge alone can grade.
    """
    given = draft.given["problem_type"]
    if given is None and draft.extra.get("audio_cues") is not None:
        return "localisation" if ":" in str(draft.given["solution"]) else "free-form"
    if given is None and (hint := misspelt(("problem_type",), row)):
        raise DataError(f"problem_type is missing{hint}")
    return problem_type_of(given)


def _solution(given: object, problem_type: ProblemType, options: tuple[str, ...]) -> str:
    if options and problem_type != "multiple choice":
        raise DataError(f"options are given, but problem_type is {problem_type!r}; mend either")
    solution = solution_of(given)
    if problem_type == "multiple choice":
        return gold_letter(solution, options)
    if problem_type == "localisation" and ":" not in solution:
        raise DataError(f"solution {solution[:60]!r} holds no `position: object` pair; mend it")
    return solution
