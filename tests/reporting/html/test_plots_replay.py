from __future__ import annotations

from avatar_core.reporting.html.plots_replay import (
    age_figure,
    ess_figure,
    occupancy_figure,
    reuse_figure,
)
from tests.reporting.html.views import trained_view, view_of
from tests.run_records import metrics_row


def test_occupancy_tells_the_share_of_each_tier() -> None:
    view = trained_view(5)
    made = occupancy_figure(view.records.metrics, view.summary)
    assert made is not None
    # 1, 2 and 5 of 8.
    assert "8 completions stored at last: easy 12.5\u00a0%, medium 25.0\u00a0%" in made
    assert made.count('class="area') == 3


def test_a_run_without_replay_has_no_plots_of_it() -> None:
    row = metrics_row(1, tier_easy=None, tier_medium=None, tier_hard=None)
    view = view_of((row,))
    assert occupancy_figure(view.records.metrics, view.summary) is None
    assert [plot([row]) for plot in (age_figure, reuse_figure, ess_figure)] == [None] * 3


def test_age_reuse_and_sample_size_say_their_key_figure() -> None:
    rows = [metrics_row(1, ess=0.5, replay_age_mean=4.0, replay_reuse_mean=1.5)]
    assert "4.0 steps in the last tenth" in str(age_figure(rows))
    assert "1.50 in the last tenth" in str(reuse_figure(rows))
    assert "50.0\u00a0% at least" in str(ess_figure(rows))
