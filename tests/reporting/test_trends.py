"""Courses of figures, from rows counted by hand."""

from __future__ import annotations

from avatar_core.reporting.trends import Course, course, courses, signal_shares
from tests.run_records import metrics_row


def test_a_course_has_ends_and_equal_parts() -> None:
    # Tenths of 20 values are 2 each; five parts are 4 each.
    values = [float(step) for step in range(20)]
    assert course(values, 5) == Course(0.5, 18.5, (1.5, 5.5, 9.5, 13.5, 17.5))
    # Fewer values than points are the points.
    assert course([1.0, None, 3.0]) == Course(1.0, 3.0, (1.0, None, 3.0))
    assert course([None, None]) is None
    assert course([]) is None
    many = course([0.0] * 1001)
    assert many is not None
    assert len(many.points) == 24


def test_signal_is_that_of_each_step_and_not_of_the_run_so_far() -> None:
    rows = [
        metrics_row(1, groups=4, groups_no_signal=1),
        metrics_row(2, groups=8, groups_no_signal=1),
        metrics_row(3, groups=8, groups_no_signal=1),
        metrics_row(4, groups=12, groups_no_signal=5),
    ]
    # 3 of 4, 4 of 4, no fresh group, 0 of 4.
    assert list(signal_shares(rows)) == [0.75, 1.0, None, 0.0]


def test_courses_are_those_the_steps_have_figures_for() -> None:
    rows = [
        metrics_row(step, groups=2 * step, groups_no_signal=0, kl=None, ess=0.5, reward_mean=r)
        for step, r in ((1, 0.25), (2, 0.75))
    ]
    found = courses(rows)
    assert list(found) == [
        "reward",
        "accuracy",
        "signal",
        "clip_low",
        "clip_high",
        "ess",
        "grad_norm",
    ]
    assert found["reward"] == Course(0.25, 0.75, (0.25, 0.75))
    assert found["signal"] == Course(1.0, 1.0, (1.0, 1.0))
    assert courses([]) == {}
