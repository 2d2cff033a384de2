"""Reading a log to its end whatever is in it: sound rows, and every line that is not."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, NamedTuple

from avatar_core.errors import DataError
from avatar_core.files import MAX_LINE_BYTES, read_errors
from avatar_core.records import RecordT, read_record


class Problem(NamedTuple):
    """Something in a run directory that is not as it should be."""

    file: str
    """Path within the run directory."""
    line: int | None
    """Line from 1; `None` when it concerns the whole file."""
    problem: str
    """What is wrong, as one sentence."""


@dataclass(frozen=True, slots=True)
class Log(Generic[RecordT]):
    """What a log holds.

    Attributes:
        name: path within the run directory.
        rows: its sound rows, in order.
        lines: line of each row.
        problems: the lines that are not sound.
        torn: the last line has no end, as a writer that was interrupted leaves it.
    """

    name: str
    rows: tuple[RecordT, ...]
    lines: tuple[int, ...]
    problems: tuple[Problem, ...]
    torn: bool


def read_log(kind: type[RecordT], run: Path, name: str) -> Log[RecordT]:
    """Read every line of a log; a file that is not there has none.

    Args:
        kind: record of each line.
        run: run directory.
        name: path within it.

    Raises:
        DataError: the file cannot be read at all.
    """
    rows: list[RecordT] = []
    lines: list[int] = []
    problems: list[Problem] = []
    torn = False
    path = run / name
    if not path.is_file():
        return Log(name, (), (), (), torn=False)
    with read_errors(path), path.open("rb") as file:
        number = 0
        while line := file.readline(MAX_LINE_BYTES + 1):
            number += 1
            if len(line) > MAX_LINE_BYTES:
                problem = f"line is longer than {MAX_LINE_BYTES} bytes; what follows was not read"
                problems.append(Problem(name, number, problem))
                break
            if not line.endswith(b"\n"):
                torn = True
            elif line.strip():
                try:
                    rows.append(_record(kind, line))
                    lines.append(number)
                except DataError as error:
                    problems.append(Problem(name, number, str(error)))
    return Log(name, tuple(rows), tuple(lines), tuple(problems), torn)


def _record(kind: type[RecordT], line: bytes) -> RecordT:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError(f"not valid JSON ({error}); mend or remove the line") from error
    if not isinstance(row, dict):
        raise DataError(f"expected a JSON object, found {type(row).__name__}")
    return read_record(kind, row, "record")
