"""A run's completions as one flat table, for notebooks and statistics programs."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from avatar_core.errors import UsageError
from avatar_core.files import user_path, write_atomic
from avatar_core.records import GroupRow

PARQUET, JSONL = ".parquet", ".jsonl"
PART = "part_"
_INTEGERS = ("step", "policy_step", "group", "completion", "tokens")
_NUMBERS = ("baseline", "reward", "advantage")
_FLAGS = ("hinted", "no_signal", "truncated")


def check_target(path: Path, *, force: bool) -> None:
    """Refuse a file that cannot be exported to; writes nothing.

    Args:
        path: where to export to.
        force: whether an existing file may be replaced.

    Raises:
        UsageError: its suffix is unknown, or it exists.
    """
    user_path(path, "FILE")
    if path.suffix.casefold() not in (PARQUET, JSONL):
        raise UsageError(f"{path}: unknown suffix; name a file in {PARQUET} or {JSONL}")
    if path.is_dir():
        raise UsageError(f"{path}: is a directory; name a file")
    if path.exists() and not force:
        raise UsageError(f"{path}: exists already; give --force to replace it")


def export_completions(groups: Sequence[GroupRow], path: Path, *, force: bool = False) -> int:
    """Write one row per completion, with the fields of its group; whole or not at all.

    Args:
        groups: rows of a run.
        path: a file in `.parquet` or `.jsonl`.
        force: replace an existing file.

    Returns:
        Number of rows.

    Raises:
        UsageError: see `check_target`.
        DiskError: the disk refused.
    """
    check_target(path, force=force)
    rows = completion_rows(groups)
    content = _parquet(rows) if path.suffix.casefold() == PARQUET else _jsonl(rows)
    write_atomic(path, content)
    return len(rows)


def completion_rows(groups: Sequence[GroupRow]) -> list[dict[str, Any]]:
    """One flat row per completion; all rows have the same keys, `None` where there is no value.

    `group` numbers the groups and `completion` the completions of a group, from 0; the reward parts
    stand under `part_<name>`.
    """
    names = sorted({name for row in groups for item in row.completions for name in item.parts})
    return [
        {
            "step": row.step,
            "prompt_id": row.prompt_id,
            "family": row.family,
            "source": row.source,
            "policy_step": row.policy_step,
            "tier": row.tier,
            "baseline": row.baseline,
            "hinted": row.hinted,
            "no_signal": row.no_signal,
            "group": number,
            "completion": place,
            "text": item.text,
            "tokens": item.tokens,
            "reward": item.reward,
            "advantage": item.advantage,
            "truncated": item.truncated,
            **{PART + name: item.parts.get(name) for name in names},
        }
        for number, row in enumerate(groups)
        for place, item in enumerate(row.completions)
    ]


def _jsonl(rows: Iterable[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, allow_nan=False, separators=(",", ":")) + "\n" for row in rows)


def _parquet(rows: Sequence[dict[str, Any]]) -> bytes:
    import pandas

    frame = pandas.DataFrame(rows)
    # A column without any value must have the same type as in another run.
    frame = frame.astype({name: _type_of(name) for name in frame.columns})
    file = io.BytesIO()
    frame.to_parquet(file, engine="pyarrow", index=False)
    return file.getvalue()


def _type_of(column: str) -> str:
    if column in _INTEGERS:
        return "Int64"
    if column in _NUMBERS or column.startswith(PART):
        return "Float64"
    return "boolean" if column in _FLAGS else "string"
