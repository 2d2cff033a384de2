"""Rows of an evaluation on disk: appended as items finish, kept on resume, sorted at the end."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from avatar_core.evaluation_records import FAILED, EvalRow
from avatar_core.files import write_atomic
from avatar_core.records import rows_of
from avatar_core.run_directory import RESULTS


def read_rows(directory: Path) -> dict[str, EvalRow]:
    """Rows of an evaluation directory by id, the last of each; a torn last line is dropped.

    Raises:
        DataError: a row is damaged or of another schema; names file and line.
    """
    return {row.id: row for row in rows_of(EvalRow, directory / RESULTS)}


def finished(rows: Mapping[str, EvalRow]) -> dict[str, EvalRow]:
    """Those rows that a resumed evaluation does not try again."""
    return {key: row for key, row in rows.items() if row.status not in FAILED}


def write_rows(directory: Path, rows: Sequence[EvalRow]) -> None:
    """Replace the rows by these, in this order, byte for byte as they were appended."""
    lines = (json.dumps(row.to_row(), allow_nan=False, separators=(",", ":")) for row in rows)
    write_atomic(directory / RESULTS, "".join(f"{line}\n" for line in lines))
