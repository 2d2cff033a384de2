from __future__ import annotations

import numpy as np

from avatar_core.reporting.html.thinning import (
    Points,
    known_points,
    moving_mean,
    sampled,
    thinned,
    window_of,
)


def line(size: int) -> Points:
    return Points(np.arange(size, dtype=float), np.zeros(size))


def test_gaps_are_left_out() -> None:
    points = known_points([1, 2, 3], [0.5, None, 0.25])
    assert (points.x.tolist(), points.y.tolist()) == ([1, 3], [0.5, 0.25])
    assert known_points([], []).y.shape == (0,)


def test_thinning_keeps_every_peak() -> None:
    points = line(10_000)
    points.y[[17, 9000]] = [5.0, -3.0]
    kept = thinned(points, 320)
    assert len(kept.y) <= 320
    assert (kept.y.max(), kept.y.min()) == (5.0, -3.0)
    assert (np.diff(kept.x) > 0).all()
    assert thinned(line(320), 320).x.shape == (320,)


def test_the_moving_mean_is_centred_and_narrower_at_the_ends() -> None:
    points = Points(np.arange(5.0), np.array([0.0, 3.0, 6.0, 0.0, 3.0]))
    # Ends: (0 + 3) / 2 and (0 + 3) / 2; inside: sums of three by 3.
    assert moving_mean(points, 3).y.tolist() == [1.5, 3.0, 3.0, 3.0, 1.5]
    assert moving_mean(points, 1) is points


def test_the_window_is_odd_and_grows_with_the_run() -> None:
    # One part in 25, made odd; three from twelve points on.
    assert [window_of(line(size)) for size in (0, 5, 12, 50, 150, 1300)] == [1, 1, 3, 3, 7, 53]


def test_sampling_keeps_both_ends() -> None:
    kept = sampled(line(1000), 160)
    assert (len(kept.x), kept.x[0], kept.x[-1]) == (160, 0.0, 999.0)
