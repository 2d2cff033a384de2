from __future__ import annotations

import itertools
import math
import random
import time

import numpy as np
import pytest

from avatar_core.benchmarks.clue_score import (
    Box,
    attribute_score,
    best_assignment,
    box_iou,
    event_score,
    object_score,
    temporal_iou,
)

UNIT: Box = (0, 0, 2, 2)
HALF: Box = (0, 0, 2, 1)  # IoU with UNIT is 2 / 4
FAR: Box = (8, 8, 9, 9)


@pytest.mark.parametrize(
    ("first", "second", "iou"),
    [
        ((0, 10), (0, 10), 1),
        ((0, 10), (5, 15), 5 / 15),
        ((0, 10), (2, 4), 2 / 10),
        ((0, 10), (10, 20), 0),
        ((0, 1), (5, 6), 0),
        ((3, 3), (3, 3), 0),  # no length, no overlap
        ((0, 10), (8, 2), 0),  # backwards
    ],
)
def test_temporal_iou(first: tuple[float, float], second: tuple[float, float], iou: float) -> None:
    assert temporal_iou(first, second) == pytest.approx(iou)
    assert temporal_iou(second, first) == pytest.approx(iou)


@pytest.mark.parametrize(
    ("first", "second", "iou"),
    [
        (UNIT, UNIT, 1),
        (UNIT, HALF, 2 / 4),
        (UNIT, (1, 1, 3, 3), 1 / 7),
        (UNIT, (2, 2, 0, 0), 1),  # corners in any order
        (UNIT, (2, 0, 0, 1), 2 / 4),
        (UNIT, (2, 0, 4, 2), 0),  # they touch
        (UNIT, FAR, 0),
        ((1, 1, 1, 1), (1, 1, 1, 1), 0),  # no area
    ],
)
def test_box_iou(first: Box, second: Box, iou: float) -> None:
    assert box_iou(first, second) == pytest.approx(iou)
    assert box_iou(second, first) == pytest.approx(iou)


def test_events() -> None:
    gold = [(0, 10), (20, 30)]
    assert event_score(gold, gold) == 1
    # Best overlaps 1 and 2/10; as many as there are: √(0.6 · 1).
    assert event_score(gold, [(22, 24), (0, 10)]) == pytest.approx(math.sqrt(0.6))
    # One instead of two: √(0.5 · 0.5).
    assert event_score(gold, [(0, 10)]) == pytest.approx(0.5)
    # Three instead of two: √(1 · 0.5); four: nothing is left.
    assert event_score(gold, [*gold, (40, 50)]) == pytest.approx(math.sqrt(0.5))
    assert event_score(gold, [*gold, *gold]) == 0
    # One span may be the best for two golds: (10/30 + 10/30) / 2 of the one from 0 to 30.
    assert event_score(gold, [(0, 30), (90, 91)]) == pytest.approx(math.sqrt(1 / 3))
    assert event_score(gold, []) == 0
    assert event_score([], [(0, 1)]) == 0


def test_objects() -> None:
    gold = [(1, UNIT), (2, UNIT), (2, FAR)]
    assert object_score(gold, gold) == 1
    # Frame 1: √(0.5 · 1). Frame 2: one of two, √(0.5 · 0.5). Frame 3: nothing to be found there.
    predicted = [(1, HALF), (2, UNIT), (3, UNIT)]
    assert object_score(gold, predicted) == pytest.approx((math.sqrt(0.5) + 0.5 + 0) / 3)
    assert object_score(gold, []) == 0
    assert object_score([], [(1, UNIT)]) == 0
    assert object_score([], []) == 0


def test_the_pair_that_overlaps_most_is_matched_first() -> None:
    # UNIT goes to the second gold (IoU 1), though the first one (IoU 1/2) is listed before it, and
    # FAR is all that is left: √((1 + 0) / 2 · 1).
    gold = [(1, HALF), (1, UNIT)]
    assert object_score(gold, [(1, UNIT), (1, FAR)]) == pytest.approx(math.sqrt(0.5))
    # Greedy, not best: A–Q comes first and leaves B–P with little, though A–P + B–Q is more.
    a, b = (0, 0, 10, 1), (5, 0, 15, 1)
    p, q = (-3, 0, 7, 1), (1, 0, 11, 1)
    # IoU: A–Q 9/11, A–P 7/13, B–Q 6/14, B–P 2/18
    greedy = 9 / 11 + 2 / 18
    assert object_score([(1, a), (1, b)], [(1, p), (1, q)]) == pytest.approx(math.sqrt(greedy / 2))
    assert greedy < 7 / 13 + 6 / 14


def test_attributes() -> None:
    red, blue = [(1, UNIT)], [(2, UNIT), (2, FAR)]
    assert attribute_score([red, blue], [blue, red]) == 1
    # red–[(1, HALF)]: √0.5; blue finds nothing. A third cluster costs nothing.
    found = attribute_score([red, blue], [[(3, FAR)], [(1, HALF)], [(4, FAR)]])
    assert found == pytest.approx(math.sqrt(0.5) / 2)
    assert attribute_score([red, blue], [red]) == pytest.approx(0.5)
    assert attribute_score([red], []) == 0
    assert attribute_score([], [red]) == 0


def test_assignment_beats_taking_the_best_first() -> None:
    # Taking 0.9 first leaves 0.0; 0.8 + 0.7 is more.
    assert best_assignment(np.array([[0.9, 0.8], [0.7, 0.0]])) == pytest.approx(1.5)


def test_assignment_is_the_best_of_all() -> None:
    rng = random.Random(5)
    cases = 0
    for rows, columns in itertools.product(range(1, 6), repeat=2):
        for levels in (2, 5, 1000):
            draw = [[rng.randrange(levels) / levels for _ in range(columns)] for _ in range(rows)]
            scores = np.array(draw)
            wide = scores if rows <= columns else scores.T
            best = max(
                sum(wide[i, j] for i, j in enumerate(order))
                for order in itertools.permutations(range(wide.shape[1]), wide.shape[0])
            )
            assert best_assignment(scores) == pytest.approx(best), draw
            cases += 1
    assert cases == 75


def test_large_replies_are_scored_in_seconds() -> None:
    begun = time.perf_counter()
    rng = random.Random(1)
    boxes = [(n % 9, (rng.random(), rng.random(), 2.0, 2.0)) for n in range(1000)]
    assert 0 <= attribute_score([boxes[i::9] for i in range(9)], [[box] for box in boxes]) <= 1
    assert 0 <= object_score(boxes[:100], boxes) <= 1
    assert time.perf_counter() - begun < 10
