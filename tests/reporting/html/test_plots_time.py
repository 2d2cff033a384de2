from __future__ import annotations

from avatar_core.reporting.html.plots_time import time_figure, time_table
from tests.reporting.html.views import view_of
from tests.run_records import metrics_row


def test_phases_are_stacked_and_summed() -> None:
    view = view_of((metrics_row(1), metrics_row(2)))
    made = time_figure(view.records.metrics, view.summary)
    assert made is not None
    # Twice 1 + 2 + 0 + 1 seconds; encoding was not timed.
    assert "8.0 s in all, 50.0\u00a0% of them in “generate”" in made
    assert made.count('class="area') == 4
    assert "<td>4.0</td><td>50.0\u00a0%</td>" in str(time_table(view.summary))


def test_without_times_there_is_nothing() -> None:
    view = view_of()
    assert time_figure((), view.summary) is None
    assert time_table(view.summary) is None
