"""An evaluation against an earlier one of the same items."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from avatar_core.errors import UsageError
from avatar_core.evaluation.ledger import NAME, read_rows
from avatar_core.evaluation.run import Evaluation
from avatar_core.evaluation.tally import Interval, accuracy, paired_gain
from avatar_core.records import EvalRow


class Gain(NamedTuple):
    """What changed between two evaluations."""

    baseline: Path
    """Directory of the earlier one."""
    before: float | None
    """Its accuracy."""
    after: float | None
    """Accuracy of the later one."""
    gain: float
    """`after` minus `before`, on the same items."""
    interval: Interval | None
    """95 % interval of the paired difference."""


def read_baseline(directory: Path) -> dict[str, EvalRow]:
    """Rows of an earlier evaluation by id.

    Raises:
        UsageError: the directory holds none.
    """
    rows = read_rows(directory)
    if not rows:
        raise UsageError(f"--baseline {directory}: holds no {NAME}; give an evaluation directory")
    return rows


def gain_over(baseline: Path, before: dict[str, EvalRow], after: Evaluation) -> Gain:
    """Paired comparison with an earlier evaluation.

    Raises:
        UsageError: the two are not of the same items.
    """
    if before.keys() != {row.id for row in after.rows}:
        raise UsageError(
            f"--baseline {baseline}: is not of the items of {after.directory}; "
            "evaluate both with the same --limit, --stage and --sample-seed"
        )
    earlier = [before[row.id] for row in after.rows]
    gain, interval = paired_gain(earlier, after.rows, after.clusters)
    return Gain(baseline, accuracy(earlier), accuracy(after.rows), gain, interval)
