"""Greedy accuracy on held-out samples, before a run's first step and after its last."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from avatar_core.asking import Asker
from avatar_core.config.train import TrainConfig
from avatar_core.evaluation.answering import answer_samples
from avatar_core.evaluation.intervals import Interval
from avatar_core.evaluation.tally import headline, headline_interval, paired_gain
from avatar_core.evaluation.tasks import clusters_of, sample_tasks
from avatar_core.evaluation_records import EvalRow
from avatar_core.files import write_atomic
from avatar_core.models.policy import Policy
from avatar_core.records import rows_of
from avatar_core.types import Sample


class Accuracy(NamedTuple):
    """Accuracy on the held-out samples at one moment."""

    value: float | None
    """Share of right answers; `None` when no answer has a score."""
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
    """Rows of the held-out samples, read from `path` when it holds them, else answered and written.

    The file is written whole, so a measurement that was interrupted is made again.
    """
    rows = list(rows_of(EvalRow, path))
    if path.is_file() and [row.id for row in rows] == [sample.id for sample in samples]:
        return rows
    rows = answer_samples(
        policy,
        asker,
        samples,
        max_new_tokens=config.sampling.max_new_tokens,
        batch_size=config.held_out.batch_size,
    )
    write_atomic(path, "".join(row.model_dump_json() + "\n" for row in rows))
    return rows


def document_of(gained: HeldOut) -> dict[str, Any]:
    """What a run gained, as JSON values."""
    moments = {"before": gained.before._asdict(), "after": gained.after._asdict()}
    return {**gained._asdict(), **moments}


def summarise(
    before: Sequence[EvalRow], after: Sequence[EvalRow], samples: Sequence[Sample]
) -> HeldOut:
    """Accuracy before and after on the same samples, and the paired gain.

    Intervals draw samples that share their media together.
    """
    clusters = clusters_of(sample_tasks(samples))
    gain, interval = paired_gain(before, after, clusters)
    first, last = (
        Accuracy(headline(rows), headline_interval(rows, clusters)) for rows in (before, after)
    )
    return HeldOut(len(samples), first, last, gain, interval)
