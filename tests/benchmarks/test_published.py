"""Tests of benchmarks/published.py: the figures are complete, and what the tables say."""

from __future__ import annotations

from avatar_core.benchmarks import available
from avatar_core.benchmarks.published import PUBLISHED


def test_every_benchmark_has_its_figures() -> None:
    assert {name: one.published for name, one in available().items()} == {
        "scenes": None,
        **PUBLISHED,
    }


def test_each_row_rises_as_the_tables_say() -> None:
    for name, figures in PUBLISHED.items():
        assert 0 < figures.baseline < figures.grpo < figures.avatar < 100, name
    assert len(PUBLISHED) == 15


def test_some_cells() -> None:
    # Gains of AVATAR over the baseline: most on MMVU, 65.6 - 60.2 = 5.4; least on IntentBench, 0.2.
    gains = {name: round(row.avatar - row.baseline, 1) for name, row in PUBLISHED.items()}
    assert max(gains, key=gains.__getitem__) == "mmvu" and gains["mmvu"] == 5.4
    assert min(gains, key=gains.__getitem__) == "intentbench" and gains["intentbench"] == 0.2
    # Sums of the columns, added up by hand from the tables.
    assert round(sum(row.baseline for row in PUBLISHED.values()), 1) == 653.6
