"""An evaluation that has begun and not ended: killed, stopped, or still running."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from avatar_core.evaluation_records import FAILED, EvalRow
from avatar_core.records import rows_of
from avatar_core.run_directory import RESULTS


@dataclass(frozen=True, slots=True)
class PartialEvaluation:
    """How far an evaluation without a summary is.

    Attributes:
        benchmark: what is measured.
        model: the model as it was asked for.
        limit: most items it takes; `None` for all of the benchmark.
        whole: neither a part of the benchmark nor another than its main split was asked for.
        items: items with a row.
        correct: those with score 1.
        failed: those that could not be asked; going on tries them again.
    """

    benchmark: str
    model: str
    limit: int | None
    whole: bool
    items: int
    correct: int
    failed: int


def partial_evaluation(path: Path, config: Mapping[str, Any] | None) -> PartialEvaluation | None:
    """How far an evaluation is; `None` for a directory that is no evaluation.

    Args:
        path: its directory.
        config: its resolved configuration.

    Raises:
        DataError: a row is damaged; names file and line.
    """
    names = config.get("names") if config is not None else None
    if config is None or not isinstance(names, list) or len(names) != 1:
        return None
    rows = {row.id: row for row in rows_of(EvalRow, path / RESULTS)}
    served = config.get("served")
    name = served.get("model") if isinstance(served, dict) else None
    limit = config.get("limit")
    return PartialEvaluation(
        benchmark=str(names[0]),
        model=str(name or config.get("model")),
        limit=limit if isinstance(limit, int) else None,
        whole=not any(config.get(part) for part in ("split", "subset", "mode", "stage")),
        items=len(rows),
        correct=sum(bool(row.correct) for row in rows.values()),
        failed=sum(row.status in FAILED for row in rows.values()),
    )
