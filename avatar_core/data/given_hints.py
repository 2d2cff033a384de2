"""Hints in a file of their own, as `avatar replay hint` writes them.

A row is `{"id", "hint", "teacher"}`; where every suggestion was refused, `hint` is null and
`refused` says why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from avatar_core.errors import DataError
from avatar_core.files import read_jsonl
from avatar_core.types import Sample


class Hint(NamedTuple):
    """What became of one prompt."""

    id: str
    """Id of the sample."""
    hint: str | None
    """The suggestion; `None` when it was refused."""
    teacher: str
    """Name of the model that wrote it."""
    refused: str | None = None
    """Why the last suggestion was refused; `None` when it was not."""

    def to_row(self) -> dict[str, str | None]:
        """Give the row as JSON values; `refused` only where it was."""
        row: dict[str, str | None] = self._asdict()
        if self.refused is None:
            del row["refused"]
        return row


def read_hints(path: Path) -> list[Hint]:
    """Rows that an earlier call wrote; none when there is no file.

    Raises:
        DataError: the file is not one of hints; names file and line.
    """
    if not path.exists():
        return []
    return [_hint_of(row, f"{path}:{line}") for line, row in read_jsonl(path)]


def with_hints(samples: Sequence[Sample], hints: Sequence[Hint]) -> list[Sample]:
    """The samples with the hints of their ids, in place of their own.

    Refused hints and those for other samples change nothing.
    """
    given = {row.id: row.hint for row in hints if row.hint is not None}
    return [
        replace(sample, hint=given[sample.id]) if sample.id in given else sample
        for sample in samples
    ]


def _hint_of(row: Mapping[str, object], where: str) -> Hint:
    name, hint, teacher, refused = (row.get(field) for field in Hint._fields)
    if isinstance(name, str) and isinstance(teacher, str):
        if isinstance(hint, str) and refused is None:
            return Hint(name, hint, teacher)
        if hint is None and isinstance(refused, str):
            return Hint(name, None, teacher, refused)
    raise DataError(f"{where}: not a row of hints; mend it or name another file")
