"""Long series in few points: a 10,000-step run must not make a page of 10,000-point lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

WINDOW_SHARE = 25
"""A moving mean covers one part in so many of a run."""


class Points(NamedTuple):
    """A series with its gaps taken out."""

    x: np.ndarray
    """Ascending."""
    y: np.ndarray
    """Finite, as many."""


def known_points(x: Sequence[float], y: Sequence[float | None]) -> Points:
    """The places of a series that have a value."""
    pairs = [(a, b) for a, b in zip(x, y, strict=True) if b is not None]
    array = np.array(pairs, dtype=np.float64).reshape(-1, 2)
    return Points(array[:, 0], array[:, 1])


def window_of(points: Points) -> int:
    """Width of the moving mean of a series, odd; 1 when it is too short for one."""
    size = len(points.y) // WINDOW_SHARE
    return size + 1 - size % 2 if size >= 2 else (3 if len(points.y) >= 12 else 1)


def moving_mean(points: Points, window: int) -> Points:
    """Mean over `window` neighbours, centred; over fewer at the ends."""
    if window < 2 or not len(points.y):
        return points
    reach = window // 2
    total = np.concatenate([[0.0], np.cumsum(points.y)])
    places = np.arange(len(points.y))
    first = np.maximum(places - reach, 0)
    last = np.minimum(places + reach + 1, len(points.y))
    return Points(points.x, (total[last] - total[first]) / (last - first))


def thinned(points: Points, limit: int) -> Points:
    """At most `limit` points that keep every peak: the lowest and the highest of each stretch."""
    size = len(points.y)
    if size <= limit:
        return points
    edges = np.linspace(0, size, max(1, limit // 2) + 1).astype(int)
    kept: list[int] = []
    for first, last in zip(edges[:-1], edges[1:], strict=True):
        part = points.y[first:last]
        kept += sorted({first + int(part.argmin()), first + int(part.argmax())})
    return Points(points.x[kept], points.y[kept])


def sampled(points: Points, limit: int) -> Points:
    """At most `limit` evenly spaced points, the first and the last among them."""
    if len(points.y) <= limit:
        return points
    kept = np.linspace(0, len(points.y) - 1, limit).round().astype(int)
    return Points(points.x[kept], points.y[kept])
