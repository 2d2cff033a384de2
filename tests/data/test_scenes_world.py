"""The grid, the facts of a scene, its written form and the split that hangs on the facts."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from avatar_core.data.scenes.world import (
    COLOURS,
    MOTIONS,
    SHAPES,
    Scene,
    Thing,
    document_hash,
    neighbour,
    scene_from_spec,
    split_of,
    vary,
)

MOVER = Thing("red", "circle", 0, motion="right", flash=1)
RESTING = Thing("blue", "square", 2, appears=2, flash=3)
SCENE = Scene((MOVER, RESTING), (None, "high", None, "low"))


def test_neighbours_in_a_grid_of_two_by_two() -> None:
    # Cells in reading order:  0 1
    #                          2 3
    ways = {motion: [neighbour(cell, motion) for cell in range(4)] for motion in MOTIONS}
    assert ways == {
        "left": [None, 0, None, 2],
        "right": [1, None, 3, None],
        "up": [None, None, 0, 1],
        "down": [2, 3, None, None],
        "still": [0, 1, 2, 3],
    }


def test_where_a_thing_is_and_ends() -> None:
    assert (MOVER.name, MOVER.position, MOVER.end_cell) == ("red circle", "top left", 1)
    assert (RESTING.position, RESTING.end_cell) == ("bottom left", 2)


def test_facts_count_times_from_one() -> None:
    assert SCENE.facts() == {
        "things": [
            {
                "colour": "red",
                "shape": "circle",
                "position": "top left",
                "end": "top right",
                "motion": "right",
                "appears": 1,
                "flash": 2,
            },
            {
                "colour": "blue",
                "shape": "square",
                "position": "bottom left",
                "end": "bottom left",
                "motion": "still",
                "appears": 3,
                "flash": 4,
            },
        ],
        "tones": [{"time": 2, "pitch": "high"}, {"time": 4, "pitch": "low"}],
    }


def test_what_is_written_is_read_back() -> None:
    scene = vary(random.Random(3), SCENE.things, SCENE.tones)
    written = json.loads(json.dumps(scene.spec()))
    assert scene_from_spec(written) == scene


def test_a_hash_sees_values_and_not_the_order_of_keys() -> None:
    assert document_hash({"a": 1, "b": [2]}) == document_hash({"b": [2], "a": 1})
    assert document_hash({"a": 1, "b": [2]}) != document_hash({"a": 1, "b": [3]})
    assert len(document_hash({})) == 32


@pytest.mark.parametrize(
    "change",
    [{"background": 99}, {"tuning": 1}, {"delay_ms": 80}, {"loudness": 50}],
)
def test_how_a_scene_is_shown_changes_neither_facts_nor_split(change: dict[str, Any]) -> None:
    changed = replace(SCENE, **change)
    assert changed.facts() == SCENE.facts()
    assert split_of(changed) == split_of(SCENE)
    assert changed.spec() != SCENE.spec()


def test_splits_are_eight_to_one_to_one() -> None:
    rng, counts = random.Random(0), Counter[str]()
    for _ in range(4000):
        thing = Thing(rng.choice(COLOURS), rng.choice(SHAPES), rng.randrange(4))
        tones = tuple(rng.choice((None, "high", "low")) for _ in range(4))
        counts[split_of(Scene((thing, replace(thing, cell=3 - thing.cell)), tones))] += 1  # type: ignore[arg-type]
    # 4 x 3 x 4 x 81 = 3888 facts; a tenth of 4000 with four standard errors of 19, and as much
    # again since some facts are drawn twice.
    for split, share in (("train", 0.8), ("validation", 0.1), ("test", 0.1)):
        assert abs(counts[split] - 4000 * share) < 110, split
    assert counts.total() == 4000


def test_variation_keeps_facts_sorts_by_cell_and_stays_in_its_ranges() -> None:
    rng, seen = random.Random(1), set()
    for _ in range(200):
        scene = vary(rng, (RESTING, MOVER), SCENE.tones)
        assert scene.facts() == SCENE.facts()
        assert [thing.cell for thing in scene.things] == [0, 2]
        assert {thing.size for thing in scene.things} <= {22, 24, 26}
        assert all(-1 <= pixel <= 1 for thing in scene.things for pixel in thing.shift)
        assert -2 <= scene.tuning <= 2
        seen.add(document_hash(scene.spec()))
    # 4 x 5 x 3 x 3 grounds and sounds times (9 x 3)² objects: two hundred draws hardly ever meet.
    assert len(seen) > 195
