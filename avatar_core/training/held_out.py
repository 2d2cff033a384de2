"""Greedy accuracy on held-out samples, before a run's first step and after its last."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from avatar_core.asking import Asker
from avatar_core.config.train import TrainConfig
from avatar_core.evaluation.answering import answer_samples
from avatar_core.evaluation.tally import Interval, accuracy, bootstrap_interval, paired_gain
from avatar_core.files import read_jsonl, write_atomic
from avatar_core.models.policy import Policy
from avatar_core.records import EvalRow, read_record
from avatar_core.types import Sample


class Accuracy(NamedTuple):
    """Accuracy on the held-out samples at one moment."""

    value: float
    """Share of right answers."""
    interval: Interval | None
    """95 % interval of it."""


class HeldOut(NamedTuple):
    """What a run gained on samples it never saw."""

    samples: int
    """Held-out samples."""
    before: Accuracy
    """Before the first step."""
    after: Accuracy
    """After the last step."""
    gain: float
    """`after` minus `before`."""
    gain_interval: Interval | None
    """95 % interval of the paired difference."""


def measure_held_out(
    policy: Policy, asker: Asker, samples: Sequence[Sample], config: TrainConfig, path: Path
) -> list[EvalRow]:
    """Rows of the held-out samples, read from `path` when they are there, else answered and written.

    The file is written whole, so a measurement that was interrupted is made again.
    """
    if path.is_file():
        return [read_record(EvalRow, row, f"{path}:{line}") for line, row in read_jsonl(path)]
    rows = list(
        answer_samples(
            policy,
            asker,
            samples,
            max_new_tokens=config.sampling.max_new_tokens,
            batch_size=config.held_out.batch_size,
        )
    )
    write_atomic(path, "".join(row.model_dump_json(by_alias=True) + "\n" for row in rows))
    return rows


def summarise(before: Sequence[EvalRow], after: Sequence[EvalRow]) -> HeldOut:
    """Accuracy before and after on the same samples, and the paired gain."""
    gain, interval = paired_gain(before, after)
    return HeldOut(len(before), _accuracy(before), _accuracy(after), gain, interval)


def _accuracy(rows: Sequence[EvalRow]) -> Accuracy:
    values = [float(bool(row.correct)) for row in rows]
    return Accuracy(accuracy(rows) or 0.0, bootstrap_interval(values, [row.id for row in rows]))
