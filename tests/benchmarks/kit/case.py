"""What a miniature data set must score, worked out by hand beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from avatar_core.benchmarks.registry import Selection


@dataclass(frozen=True)
class Case:
    """Scripted replies to a miniature benchmark, and the figures that they come to.

    Attributes:
        layout: one of the kit's `LAYOUTS`.
        selection: what of the benchmark is asked.
        replies: text of the model by item id; an item without one fails and counts as wrong.
        headline: main figure, as a share.
        figures: further figures by name, as `Benchmark.figures` gives them.
        groups: accuracy by breakdown and category.
    """

    layout: str
    selection: Selection
    replies: Mapping[str, str]
    headline: float
    figures: Mapping[str, float | None] = field(default_factory=dict)
    groups: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
