"""Weighted clue score (WCS): whether a counting answer points at what it counted.

A clue is a span (first, last second) for an event, or a box in a frame for an object. Every score
is √(localisation · count penalty), so that naming too many or too few clues costs as much as
naming the wrong ones.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

Span: TypeAlias = "tuple[float, float]"
"""First and last second."""
Box: TypeAlias = "tuple[float, float, float, float]"
"""Two opposite corners, x and y each."""
Placed: TypeAlias = "tuple[int, Box]"
"""Number of a frame, from 1, and a box in it."""


def temporal_iou(first: Span, second: Span) -> float:
    """Overlap of two spans over the time from the earliest start to the latest end; in [0, 1]."""
    overlap = min(first[1], second[1]) - max(first[0], second[0])
    reach = max(first[1], second[1]) - min(first[0], second[0])
    return max(0.0, overlap) / reach if reach > 0 else 0.0


def box_iou(first: Box, second: Box) -> float:
    """Intersection over union of two boxes whose corners may be in any order; in [0, 1]."""
    (left, top, right, bottom), (left2, top2, right2, bottom2) = _ordered(first), _ordered(second)
    width = max(0.0, min(right, right2) - max(left, left2))
    height = max(0.0, min(bottom, bottom2) - max(top, top2))
    shared = width * height
    union = (right - left) * (bottom - top) + (right2 - left2) * (bottom2 - top2) - shared
    return shared / union if union > 0 else 0.0


def event_score(gold: Sequence[Span], predicted: Sequence[Span]) -> float:
    """WCS of spans: localisation is the mean over gold of the best temporal IoU; 0 without gold."""
    best = [max((temporal_iou(span, p) for p in predicted), default=0.0) for span in gold]
    return _weighted(sum(best), len(gold), len(predicted))


def object_score(gold: Sequence[Placed], predicted: Sequence[Placed]) -> float:
    """WCS of boxes: the mean over all frames in which either side has one; 0 without any."""
    golds, predictions = _by_frame(gold), _by_frame(predicted)
    frames = golds.keys() | predictions.keys()
    scores = [
        _weighted(
            _greedy_iou(golds[frame], predictions[frame]),
            len(golds[frame]),
            len(predictions[frame]),
        )
        for frame in sorted(frames)
    ]
    return sum(scores) / max(len(scores), 1)


def attribute_score(
    gold: Sequence[Sequence[Placed]], predicted: Sequence[Sequence[Placed]]
) -> float:
    """WCS of clusters of boxes, whose labels say nothing.

    Args:
        gold: K clusters.
        predicted: any number of clusters.

    Returns:
        Σ of `object_score` over the best one-to-one assignment, divided by K; 0 without clusters.
    """
    if not gold or not predicted:
        return 0.0
    scores = np.array([[object_score(g, p) for p in predicted] for g in gold])
    return best_assignment(scores) / len(gold)


def best_assignment(scores: np.ndarray) -> float:
    """Greatest sum of a one-to-one assignment of rows to columns.

    Rows are taken in one after the other, each by the path of least loss through the columns given
    so far (the Hungarian method in O(rows² · columns)).

    Args:
        scores: [rows, columns], finite; neither is 0.
    """
    gains = scores if scores.shape[0] <= scores.shape[1] else scores.T
    rows, columns = gains.shape
    owner = np.full(columns, -1)
    row_price, column_price = np.zeros(rows), np.zeros(columns)
    for row in range(rows):
        loss, previous = np.full(columns, np.inf), np.full(columns, -1)
        settled = np.zeros(columns, dtype=bool)
        tail, at, reached = row, -1, 0.0
        while True:
            through = reached - gains[tail] - row_price[tail] - column_price
            shorter = ~settled & (through < loss)
            loss[shorter], previous[shorter] = through[shorter], at
            at = int(np.argmin(np.where(settled, np.inf, loss)))
            reached = float(loss[at])
            if owner[at] < 0:
                break
            settled[at] = True
            tail = int(owner[at])
        # Prices keep every loss of a further step at 0 or more.
        row_price[row] += reached
        row_price[owner[settled]] += reached - loss[settled]
        column_price[settled] -= reached - loss[settled]
        while at >= 0:
            before = int(previous[at])
            owner[at] = owner[before] if before >= 0 else row
            at = before
    taken = np.flatnonzero(owner >= 0)
    return float(gains[owner[taken], taken].sum())


def _weighted(located: float, gold: int, predicted: int) -> float:
    """√(located / gold · max(0, 1 − |predicted − gold| / gold)); 0 without gold."""
    if not gold:
        return 0.0
    penalty = max(0.0, 1 - abs(predicted - gold) / gold)
    return math.sqrt(located / gold * penalty)


def _greedy_iou(gold: Sequence[Box], predicted: Sequence[Box]) -> float:
    """Sum of IoU when the pair that overlaps most is matched first."""
    pairs = [(box_iou(g, p), i, j) for i, g in enumerate(gold) for j, p in enumerate(predicted)]
    left, right, total = set(range(len(gold))), set(range(len(predicted))), 0.0
    for overlap, i, j in sorted(pairs, key=lambda pair: -pair[0]):
        if i in left and j in right:
            left.remove(i)
            right.remove(j)
            total += overlap
    return total


def _by_frame(boxes: Sequence[Placed]) -> defaultdict[int, list[Box]]:
    found: defaultdict[int, list[Box]] = defaultdict(list)
    for frame, box in boxes:
        found[frame].append(box)
    return found


def _ordered(box: Box) -> Box:
    x, y, x2, y2 = box
    return min(x, x2), min(y, y2), max(x, x2), max(y, y2)
