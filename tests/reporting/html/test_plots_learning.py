from __future__ import annotations

from avatar_core.reporting.html.plots_learning import (
    accuracy_figure,
    clip_figure,
    diversity_figure,
    gradient_figure,
    kl_figure,
    loss_figure,
    reward_figure,
    signal_figure,
    trend_table,
)
from avatar_core.reporting.trends import Course
from tests.run_records import group_row, metrics_row


def test_signal_is_that_of_each_step() -> None:
    metrics = [
        metrics_row(1, groups=4, groups_no_signal=1),
        metrics_row(2, groups=8, groups_no_signal=5),
        metrics_row(3, groups=8, groups_no_signal=5),
    ]
    made = signal_figure(metrics)
    assert made is not None
    # Steps: 3 of 4, then none of 4, then no group; in all 3 of 8.
    assert "37.5\u00a0% over the run" in made
    assert "<td>75.0\u00a0%</td><td>0.0\u00a0%</td><td>0.0\u00a0%</td><td>75.0\u00a0%</td>" in made


def test_captions_tell_how_figures_moved() -> None:
    metrics = [metrics_row(1, reward_mean=0.25), metrics_row(2, reward_mean=0.75)]
    made = reward_figure(metrics)
    assert made is not None
    assert "0.250 in the first tenth, 0.750 in the last" in made
    assert "completions generated" in made


def test_diversity_compares_sources() -> None:
    groups = [
        group_row([0.0, 1.0], step=1),
        group_row([1.0, 1.0], step=2, policy_step=1, source="replayed"),
    ]
    made = diversity_figure(groups)
    assert made is not None
    assert "<td>2.00</td>" in made and "<td>1.00</td>" in made
    assert "fresh 2.00 in all" in made


def test_what_was_not_recorded_is_not_drawn() -> None:
    row = metrics_row(
        1,
        reward_mean=None,
        accuracy_fresh=None,
        kl=None,
        clip_low=None,
        clip_high=None,
        grad_norm=None,
        groups=0,
    )
    plots = (
        reward_figure,
        accuracy_figure,
        signal_figure,
        kl_figure,
        clip_figure,
        gradient_figure,
        loss_figure,
    )
    assert [plot([row]) for plot in plots] == [None] * 7
    assert [plot([]) for plot in plots] == [None] * 7
    assert diversity_figure([]) is None


def test_loss_is_shown_for_supervised_steps_alone() -> None:
    made = loss_figure([metrics_row(1, stage=0, loss=2.5)])
    assert made is not None and "2.5 in the first tenth" in made


def test_trends_are_written_in_their_units() -> None:
    made = str(
        trend_table({"accuracy": Course(0.5, 0.25, (0.5,)), "kl": Course(0.0, 0.01, (0.0,))})
    )
    assert '<th scope="row">accuracy</th><td>50.0\u00a0%</td><td>25.0\u00a0%</td><td><svg' in made
    assert '<th scope="row">KL to the reference</th><td>0.0000</td><td>0.0100</td>' in made
    assert trend_table({}) is None
