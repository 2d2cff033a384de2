from __future__ import annotations

from avatar_core.reporting.html.plots_shaping import advantage_figure, weight_figure
from avatar_core.reporting.html.weights import Shaping
from tests.reporting.html.views import view_of
from tests.run_records import group_row


def test_advantages_are_set_side_by_side() -> None:
    groups = (
        group_row([0.0, 1.0], [-9.0, 0.0]),
        group_row([0.0], [0.0], source="replayed", policy_step=0),
    )
    made = advantage_figure(groups, view_of(groups=groups).summary)
    assert made is not None
    # One bin lies around 0; what is beyond the bins is in the outer ones.
    assert "<title>fresh, −2.625 to −2.375: 50\u00a0%</title>" in made
    assert "<title>fresh, −0.125 to 0.125: 50\u00a0%</title>" in made
    assert "<title>replayed, −0.125 to 0.125: 100\u00a0%</title>" in made
    assert "fresh 50.0\u00a0%, replayed 100.0\u00a0%" in made


def test_without_advantages_there_is_no_plot() -> None:
    groups = (group_row([0.0]),)
    assert advantage_figure(groups, view_of(groups=groups).summary) is None


def test_the_curve_says_its_ends_and_its_middle() -> None:
    made = weight_figure(Shaping(0.3, "parabola", False))
    assert "first token weighs 1.30, the middle 1.00, the last 1.30" in made
