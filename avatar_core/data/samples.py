"""Training data from JSONL: one question about some media per line, checked before anything starts.

A row holds `messages` or `question`, `solution`, `problem_type` and at least one file under
`videos`, `images` or `audios`; it may hold `id`, `options`, `stage`, `hint` and `response`. All
else is kept in `Sample.extra`. Nothing is guessed: an unsound row is an error with file and line.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, get_args

from avatar_core.config.resolve import nearest
from avatar_core.data.choices import gold_letter, option_texts
from avatar_core.data.turns import MEDIA_KEYS, media_of, turns_of
from avatar_core.errors import DataError
from avatar_core.files import file_digest, read_jsonl
from avatar_core.types import MediaRef, ProblemType, Sample

PROBLEM_TYPES: tuple[ProblemType, ...] = get_args(ProblemType)
STAGES = range(4)
KNOWN = frozenset(
    {"id", "messages", "question", "solution", "problem_type", "options", "stage", "hint"}
    | {"response", *MEDIA_KEYS.values()}
)
_ANSWER = re.compile(r"<answer>(.*?)</answer>", re.IGNORECASE | re.DOTALL)

Digest = Callable[[str], str]


def read_samples(path: Path, *, media_root: Path | None = None) -> list[Sample]:
    """Read a JSONL file of training samples.

    A row without `id` gets one from its question and the content of its media, so that it keeps its
    identity when the file is sorted or moved.

    Args:
        path: the file.
        media_root: directory that every media path must lie in; by default the file's own.

    Raises:
        DataError: the file is not readable or empty, or a row is unsound; names file and line.
    """
    root = path.parent if media_root is None else media_root
    digest: Digest = cache(lambda name: file_digest(Path(name), "blake2b"))
    samples: list[Sample] = []
    lines: dict[str, int] = {}
    for number, row in read_jsonl(path):
        try:
            sample = sample_from_row(row, root, digest)
        except DataError as error:
            raise DataError(f"{path}:{number}: {error}") from error
        if sample.id in lines:
            raise DataError(
                f"{path}:{number}: id {sample.id!r} is that of line {lines[sample.id]} as well; "
                "remove one of the rows or give them ids of their own"
            )
        lines[sample.id] = number
        samples.append(sample)
    if not samples:
        raise DataError(f"{path}: has no rows; give a file with one JSON object per line")
    return samples


def sample_from_row(row: Mapping[str, Any], root: Path, digest: Digest) -> Sample:
    """Turn one row into a sample.

    Args:
        row: decoded JSON object.
        root: directory that its media paths must lie in.
        digest: content digest of a file, for rows without an id.

    Raises:
        DataError: the row is not sound; names the key, not the file.
    """
    turns = turns_of(row)
    media = media_of(row, turns.kinds, root)
    if not turns.question:
        raise DataError("the question is empty; give its text in question or messages")
    problem_type = problem_type_of(row)
    options = option_texts(row.get("options"))
    if options and problem_type != "multiple choice":
        raise DataError(f"options are given, but problem_type is {problem_type!r}; mend either")
    solution = solution_of(row)
    if problem_type == "multiple choice":
        solution = gold_letter(solution, options)
    if problem_type == "localisation" and ":" not in solution:
        raise DataError(f"solution {solution[:60]!r} holds no `position: object` pair; mend it")
    response = text_of(row, "response") or turns.response
    return Sample(
        id=identity_of(row, turns.question, media, digest),
        question=turns.question,
        media=media,
        solution=solution,
        problem_type=problem_type,
        options=options,
        responses=(response,) if response else (),
        stage=stage_of(row),
        hint=text_of(row, "hint"),
        extra={key: value for key, value in row.items() if key not in KNOWN},
    )


def problem_type_of(row: Mapping[str, Any]) -> ProblemType:
    """The problem type of a row, in any case, with blanks, hyphens or underscores in it."""
    given = row.get("problem_type")
    if not isinstance(given, str):
        raise DataError(f"problem_type is missing; give one of {', '.join(PROBLEM_TYPES)}")
    for name in PROBLEM_TYPES:
        if _words(given) == _words(name):
            return name
    raise DataError(f"unknown problem_type {given[:60]!r}{nearest(given, list(PROBLEM_TYPES))}")


def solution_of(row: Mapping[str, Any]) -> str:
    """The reference answer of a row, without the answer tags it may be wrapped in."""
    given = row.get("solution")
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        raise DataError("solution is missing or neither text nor a number; give the right answer")
    tagged = _ANSWER.findall(str(given))
    solution = str(tagged[-1] if tagged else given).strip()
    if not solution:
        raise DataError("solution is empty; give the right answer")
    return solution


def stage_of(row: Mapping[str, Any]) -> int | None:
    """The training stage of a row, 0 to 3, or `None`."""
    stage = row.get("stage")
    if stage is None:
        return None
    if isinstance(stage, bool) or not isinstance(stage, int) or stage not in STAGES:
        raise DataError(f"stage {stage!r} does not exist; give 0, 1, 2 or 3")
    return stage


def text_of(row: Mapping[str, Any], key: str) -> str | None:
    """An optional text of a row; blank counts as absent."""
    value = row.get(key)
    if value is not None and not isinstance(value, str):
        raise DataError(f"{key} must be text, found {type(value).__name__}")
    return value.strip() or None if value else None


def identity_of(
    row: Mapping[str, Any], question: str, media: tuple[MediaRef, ...], digest: Digest
) -> str:
    """The id of a row; without one the digest of its question and of the content of its media."""
    given = row.get("id")
    if given is None:
        content = hashlib.blake2b(digest_size=16)
        for part in (question, *(f"{ref.kind} {digest(ref.path)}" for ref in media)):
            content.update(f"{len(part.encode())}:{part}".encode())
        return content.hexdigest()
    if isinstance(given, bool) or not isinstance(given, str | int) or not str(given).strip():
        raise DataError(f"id {given!r} must be text or a whole number; leave it out for a default")
    return str(given)


def _words(name: str) -> list[str]:
    return re.split(r"[\s_-]+", name.strip().casefold())
