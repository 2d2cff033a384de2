"""What the page shows of one run, gathered before a line of HTML is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from avatar_core.reporting.differences import Items
from avatar_core.reporting.records_io import RunRecords
from avatar_core.reporting.summary import RunSummary


class Paired(NamedTuple):
    """A run against the baseline on the items that both answered."""

    baseline: str
    """Directory of the baseline."""
    items: int
    """Items compared."""
    before: float | None
    """Share of right answers of the baseline."""
    after: float | None
    """That of the run."""
    gain: float
    """`after` minus `before`."""
    interval: tuple[float, float] | None
    """95 % interval of the paired difference; `None` where it cannot be given."""
    gained: int
    """Items that were wrong and are right."""
    lost: int
    """Items that were right and are wrong."""
    p_value: float
    """Of the two-sided exact McNemar test of these two."""


@dataclass(frozen=True, slots=True)
class RunView:
    """One run or evaluation, as the page shows it.

    Attributes:
        name: short name, different from those of the other runs of the page.
        records: its records.
        summary: its figures.
        held_out: gain on held-out samples, as `held_out_gain` gives it; `None` when not measured.
        paired: against the baseline; `None` without one or without common items.
        items: what an evaluation answered, or a run of its held-out samples; `None` where neither
            is on record.
        answered: rows of an evaluation so far; `None` elsewhere.
        strips: a few frames of a prompt in a row, as JPEG of `STRIP` pixels, by prompt id.
    """

    name: str
    records: RunRecords
    summary: RunSummary
    held_out: Mapping[str, Any] | None = None
    paired: Paired | None = None
    items: Items | None = None
    answered: int | None = None
    strips: Mapping[str, bytes] = field(default_factory=dict)


STRIP = (204, 66)
"""Width and height of a strip of frames, in pixels."""
