"""The answers of a file of questions on disk: a row each, appended as they come, kept on resume."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from avatar_core.config.inference import BatchConfig
from avatar_core.config.media import MediaConfig
from avatar_core.errors import DataError, RunLockedError, UsageError
from avatar_core.evaluation_records import EvalRow, EvalStatus
from avatar_core.files import (
    disk_errors,
    file_digest,
    read_errors,
    read_jsonl,
    user_path,
    write_atomic,
)
from avatar_core.inference.rows import Question
from avatar_core.manifest import NAME
from avatar_core.models.adapter import base_of
from avatar_core.models.loading import is_adapter
from avatar_core.records import VersionedRecord, read_record
from avatar_core.rewards.tags import split_completion
from avatar_core.types import MediaRef

UNREAD = frozenset(
    {
        "workers",
        "cache_bytes",
        "deadline_seconds",
        "max_file_bytes",
        "max_seconds",
        "max_side",
        "max_streams",
    }
)
"""Media settings that say whether a file is read, never how; they may differ on resume."""
HEAD = b'{"schema":'
"""What every row begins with."""


class AnswerRow(VersionedRecord):
    """The answer to one question of a file."""

    id: str
    """Of the question's row."""
    question: str
    """What was asked; empty for a row that could not be read."""
    media: tuple[str, ...]
    """What was shown; a window stands behind its file as `#t=start,end`."""
    status: EvalStatus
    """How it ended; `error` when it was not asked."""
    answer: str | None
    """The stated answer; `None` when none was stated."""
    reasoning: str | None
    """What was thought before it; `None` when nothing was written."""
    text: str | None
    """What the model wrote, tags included."""
    truncated: bool
    """Generation stopped at the length limit."""
    modalities: tuple[str, ...]
    """What the model was given, of "text", "frames", "sound"."""
    frames: int | None
    """Frames it was given; `None` without a picture."""
    prompt_tokens: int | None
    """Length of the prompt in tokens; `None` when it was not asked."""
    seconds: float | None
    """Wall time, its share of what was done for several questions together."""
    error: str | None
    """One sentence when the status is `error`."""
    settings: str
    """Digest of the model's name and files and of how it was asked."""

    def answers(self, question: Question) -> bool:
        """Whether this row need not be asked again: an answer to this very question."""
        asked = (question.text, tuple(map(named, question.media)))
        return self.error is None and (self.question, self.media) == asked


def settings_digest(checkpoint: str, media: MediaConfig, system: str, limit: int) -> str:
    """Hexadecimal digest of all that an answer depends on besides the question."""
    read = media.model_dump(mode="json", exclude=set(UNREAD))
    told = json.dumps([checkpoint, weights_mark(checkpoint), read, system, limit], sort_keys=True)
    return hashlib.blake2b(told.encode(), digest_size=8).hexdigest()


def weights_mark(checkpoint: str) -> list[str]:
    """What changes with the weights of a directory, and of an adapter's base; none is read.

    Empty for a model that is no directory.

    Raises:
        DataError: a file cannot be looked at.
        CheckpointError: the directory holds an unsound adapter.
    """
    directory = Path(checkpoint)
    if checkpoint == "tiny" or not directory.is_dir():
        return []
    base = _files_mark(Path(base_of(directory))) if is_adapter(directory) else []
    return [*_files_mark(directory), *base]


def _files_mark(directory: Path) -> list[str]:
    """Digest of the manifest of a directory, else name, size and time of its weight files."""
    with read_errors(directory):
        if (directory / NAME).is_file():
            return [file_digest(directory / NAME)]
        found = [(path.name, path.stat()) for path in sorted(directory.glob("*.safetensors"))]
    return [f"{name} {status.st_size} {status.st_mtime_ns}" for name, status in found]


def answer_row(question: Question, row: EvalRow, settings: str) -> AnswerRow:
    """The answer to a question from the record of its task."""
    return AnswerRow(
        id=question.id,
        question=question.text,
        media=tuple(map(named, question.media)),
        status="error" if row.error is not None else row.status,
        answer=row.prediction,
        reasoning=None if row.text is None else split_completion(row.text).reasoning,
        text=row.text,
        truncated=row.truncated,
        modalities=row.modalities,
        frames=row.frames,
        prompt_tokens=row.tokens_prompt,
        seconds=row.seconds,
        error=row.error,
        settings=settings,
    )


def refused_row(question: Question, settings: str) -> AnswerRow:
    """The row of a question that could not be read."""
    return AnswerRow(
        id=question.id,
        question=question.text,
        media=(),
        status="error",
        answer=None,
        reasoning=None,
        text=None,
        truncated=False,
        modalities=(),
        frames=None,
        prompt_tokens=None,
        seconds=None,
        error=question.error,
        settings=settings,
    )


def named(ref: MediaRef) -> str:
    """A media file as rows name it, with its window in the form of a media fragment.

    >>> named(MediaRef("video", "a.mp4", 1.0, 2.5)), named(MediaRef("image", "a.png"))
    ('a.mp4#t=1,2.5', 'a.png')
    """
    if ref.start is None and ref.end is None:
        return ref.path
    return f"{ref.path}#t={ref.start or 0:g}{'' if ref.end is None else f',{ref.end:g}'}"


def check_out(config: BatchConfig) -> None:
    """Raise `UsageError` unless answers can go where they shall and replace nothing but answers."""
    out = user_path(config.out, "--out")
    if out.is_dir():
        raise UsageError(f"--out {out}: is a directory; name a JSONL file")
    if not out.exists():
        return
    if not out.is_file():
        raise UsageError(f"--out {out}: is no regular file; name a JSONL file")
    if config.file.exists() and out.samefile(config.file):
        raise UsageError(f"--out {out}: is the file of questions itself; name another file")
    if not holds_answers(out):
        raise UsageError(f"--out {out}: exists and is no file of answers; name another file")


def holds_answers(path: Path) -> bool:
    """Whether a file is empty or begins with an answer, whole or cut short by a killed call.

    Raises:
        DataError: it cannot be read.
    """
    with read_errors(path), path.open("rb") as file:
        head = file.read(len(HEAD))
    try:
        first = next(read_jsonl(path, torn_tail=True), None)
        if first is not None:
            read_record(AnswerRow, first[1], str(path))
    except DataError:
        return False
    return first is not None or HEAD.startswith(head)


def read_answers(path: Path, settings: str) -> dict[str, AnswerRow]:
    """Rows of an answer file by id, the last of each.

    Raises:
        UsageError: it holds answers of another model or to otherwise asked questions.
        DataError: a row is damaged, or the file is another one; names file and line.
    """
    rows: dict[str, AnswerRow] = {}
    for number, content in read_jsonl(path, torn_tail=True):
        row = read_record(AnswerRow, content, f"--out {path}:{number}")
        if row.settings != settings:
            raise UsageError(
                f"--out {path}:{number}: holds answers of another model or of other "
                "settings; name another file, or start over with --no-resume"
            )
        rows[row.id] = row
    return rows


def write_answers(path: Path, rows: Sequence[AnswerRow]) -> None:
    """Replace the rows by these, in this order, as they were appended."""
    lines = (json.dumps(row.to_row(), allow_nan=False, separators=(",", ":")) for row in rows)
    write_atomic(path, "".join(f"{line}\n" for line in lines))


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold an answer file for this process; made empty when it is not there.

    Raises:
        RunLockedError: another living process writes it.
    """
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("ab")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunLockedError(
                f"--out {path}: is being written by another process; wait for it or name another"
            ) from None
        yield


def empty(path: Path) -> None:
    """Leave no row in an answer file, to begin anew."""
    with disk_errors(path):
        os.truncate(path, 0)


def kept(rows: Mapping[str, AnswerRow], questions: Sequence[Question]) -> dict[str, AnswerRow]:
    """Those rows that answer one of the questions and need not be asked again."""
    asked = {question.id: question for question in questions}
    return {key: row for key, row in rows.items() if key in asked and row.answers(asked[key])}
