from __future__ import annotations

from avatar_core.reporting.html.plots_scores import (
    held_out_figure,
    overlays,
    paired_figure,
    score_figure,
)
from avatar_core.reporting.html.views import Paired
from tests.reporting.html.views import trained_view, view_of
from tests.run_records import eval_summary

HELD_OUT = {
    "samples": 200,
    "before": {"value": 0.5, "interval": [0.4, 0.6]},
    "after": {"value": 0.6, "interval": None},
    "gain": 0.1,
    "gain_interval": [0.05, 0.15],
}
PAIRED = Paired("runs/<base>", 200, 0.5, 0.6, 0.1, (0.05, 0.15), 30, 10, 0.0022)


def test_scores_have_their_intervals() -> None:
    views = [
        view_of(name="a", evaluation=eval_summary()),
        view_of(name="b", evaluation=eval_summary(accuracy=0.8, ci95=None)),
        view_of(name="c", evaluation=eval_summary(accuracy=None, ci95=None)),
        view_of(name="d"),
    ]
    made = score_figure(views)
    assert made is not None
    assert "Highest: b, 80.0\u00a0%, 95 % interval –" in made
    assert (made.count('class="dot'), made.count('class="line')) == (2, 1)
    assert "75.0\u00a0%, 95 % interval 30.0\u00a0% to 95.0\u00a0%." in str(score_figure(views[:1]))
    assert score_figure(views[2:]) is None


def test_held_out_gain_is_before_and_after() -> None:
    made = held_out_figure([view_of(held_out=HELD_OUT)])
    assert made is not None
    assert "+10.0 points (+5.0 to +15.0)" in made
    assert made.count('class="dot') == 2
    assert held_out_figure([view_of()]) is None
    empty = {**HELD_OUT, "before": {"value": None, "interval": None}}
    assert str(held_out_figure([view_of(held_out=empty)])).count('class="dot') == 1


def test_paired_differences_are_drawn_and_listed() -> None:
    made = paired_figure([view_of(name="x", paired=PAIRED), view_of(name="y")])
    assert made is not None
    assert (
        "Paired difference to runs/&lt;base&gt; on the same items, in the share of right answers"
        in made
    )
    cells = ("200", "50.0\u00a0%", "60.0\u00a0%", "+10.0", "+5.0 to +15.0", "30", "10", "0.0022")
    assert "".join(f"<td>{cell}</td>" for cell in cells) in made
    assert paired_figure([view_of()]) is None


def test_runs_are_laid_over_each_other() -> None:
    two = [trained_view(5, "a"), trained_view(5, "b"), view_of(name="begun")]
    accuracy, reward = overlays(two)
    assert accuracy is not None and reward is not None
    assert accuracy.count('class="line') == 2 and "begun" not in accuracy
    assert overlays([trained_view(5), view_of()]) == [None, None]
    many = overlays([trained_view(3, f"r{number}") for number in range(9)])
    assert "The first 8 runs." in str(many[0])
