"""Reads what a run left on disk, whether it ended, still runs or was killed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from avatar_core.errors import DataError, UsageError
from avatar_core.evaluation_records import EvalSummary, EvalTiming
from avatar_core.files import read_json
from avatar_core.records import GroupRow, Manifest, MetricsRow, RecordT, read_record, rows_of
from avatar_core.reporting.run_list import check_run_path, holds_run, runs_below
from avatar_core.run_directory import CONFIG, GROUPS, HELD_OUT, MANIFEST, METRICS, SUMMARY, TIMING

HELD_OUT_KEYS = (
    "samples",
    "before.value",
    "before.interval",
    "after.value",
    "after.interval",
    "gain",
    "gain_interval",
)
"""Keys of the summary of held-out samples, those of an object behind its own and a dot."""


@dataclass(frozen=True, slots=True)
class RunRecords:
    """The records of one run or evaluation directory.

    Attributes:
        path: the directory.
        config: resolved configuration; `None` when the file is not there.
        manifest: what the run was made with; `None` when the file is not there.
        metrics: one row per optimiser step, in order of writing.
        groups: one row per group, in order of writing.
        evaluation: score of an evaluation directory; `None` elsewhere.
        timing: where the time of an evaluation went; `None` when the file is not there.
    """

    path: Path
    config: Mapping[str, Any] | None
    manifest: Manifest | None
    metrics: tuple[MetricsRow, ...]
    groups: tuple[GroupRow, ...]
    evaluation: EvalSummary | None
    timing: EvalTiming | None = None


def held_out_gain(path: Path) -> dict[str, Any] | None:
    """What a finished run gained on held-out samples; `None` when it was not measured, or not yet.

    Raises:
        DataError: the file is damaged or lacks a key that is reported.
    """
    file = path / HELD_OUT / SUMMARY
    document = _document(file)
    if document is None:
        return None
    for key in HELD_OUT_KEYS:
        found: Any = document
        for part in key.split("."):
            if not isinstance(found, dict) or part not in found:
                raise DataError(f"{file}: key {key!r} is missing; mend or remove the file")
            found = found[part]
    return dict(document)


def load_run(path: Path) -> RunRecords:
    """Read the records of a run or evaluation directory.

    A torn last line, as a running or killed writer leaves it, is dropped; a file that is not there
    gives `None` or no rows.

    Raises:
        UsageError: `path` is not a directory, cannot be searched or holds none of a run's files.
        DataError: a record is damaged or of another schema; names file and line.
    """
    check_run_path(path)
    if not path.is_dir():
        raise UsageError(f"{path}: no such directory; give the --out directory of a run")
    if not holds_run(path):
        below = runs_below(path)
        found = f"; below it are {', '.join(map(str, below))}" if below else ""
        raise UsageError(f"{path}: not a run directory; give the --out of a run{found}")
    return RunRecords(
        path=path,
        config=_document(path / CONFIG),
        manifest=_record(Manifest, path / MANIFEST),
        metrics=tuple(rows_of(MetricsRow, path / METRICS)),
        groups=tuple(rows_of(GroupRow, path / GROUPS)),
        evaluation=_record(EvalSummary, path / SUMMARY),
        timing=_record(EvalTiming, path / TIMING),
    )


def _document(path: Path) -> Mapping[str, Any] | None:
    if not path.is_file():
        return None
    document = read_json(path)
    if not isinstance(document, dict):
        raise DataError(f"{path}: expected a JSON object, found {type(document).__name__}")
    return document


def _record(kind: type[RecordT], path: Path) -> RecordT | None:
    document = _document(path)
    return None if document is None else read_record(kind, document, str(path))
