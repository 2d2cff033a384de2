"""Draws of objects, ways and tones: what is given is kept, nothing shares a cell."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

from avatar_core.data.scenes.placing import any_tones, cast, slots, tones_at, wander
from avatar_core.data.scenes.world import COLOURS, SHAPES, SILENCE, Thing

DRAWS = 300


def test_a_cast_differs_in_colour_and_cell_and_in_shape_as_far_as_there_are_shapes() -> None:
    rng, cases = random.Random(0), 0
    for count in (1, 2, 3, 4):
        for _ in range(DRAWS // 4):
            things = cast(rng, count)
            assert len({thing.colour for thing in things}) == count
            assert len({thing.cell for thing in things}) == count
            assert len({thing.shape for thing in things[:3]}) == min(count, 3)
            assert all((thing.motion, thing.flash) == ("still", None) for thing in things)
            cases += 1
    assert cases == DRAWS


def test_what_is_asked_of_the_first_is_its_own_alone() -> None:
    rng, cases = random.Random(1), 0
    for colour in COLOURS:
        for shape in SHAPES:
            for cell in range(4):
                first, *others = cast(rng, 3, colour=colour, shape=shape, cell=cell)
                assert (first.colour, first.shape, first.cell) == (colour, shape, cell)
                for other in others:
                    assert other.colour != colour
                    assert other.shape != shape
                    assert other.cell != cell
                cases += 1
    assert cases == 48


def test_wanderers_take_cells_that_nobody_uses() -> None:
    rng, moved = random.Random(2), Counter[int]()
    for count in (2, 3, 4):
        for _ in range(DRAWS):
            things = cast(rng, count)
            after = wander(rng, things, chance=1.0)
            assert after[0] == things[0]
            assert [replace(thing, motion="still") for thing in after] == things
            used = [cell for thing in after for cell in {thing.cell, thing.end_cell}]
            assert len(used) == len(set(used))
            moved[count] += sum(thing.motion != "still" for thing in after)
    # Of two things the second always finds a way: it has two neighbours and one may be taken. Of
    # three, one free cell remains, next to two of the others' cells. Of four none remains.
    assert moved[2] == DRAWS
    assert 0 < moved[3] <= DRAWS
    assert moved[4] == 0


def test_without_a_chance_nothing_moves() -> None:
    things = [Thing("red", "circle", 0), Thing("blue", "square", 1)]
    assert wander(random.Random(3), things, chance=0.0) == things


def test_tones_are_put_into_their_slots() -> None:
    assert tones_at({}) == SILENCE
    assert tones_at({0: "high", 3: "low"}) == ("high", None, None, "low")
    assert tones_at({1: None, 2: "low"}) == (None, None, "low", None)


def test_any_tones_are_silent_twice_in_five_draws_and_rarely_more() -> None:
    rng = random.Random(4)
    silent = sum(any_tones(rng) == SILENCE for _ in range(2000))
    # 0.4 + 0.6 / 3⁴ = 0.4074 of 2000 are 815; four standard errors of 22.
    assert abs(silent - 815) < 88


def test_slots_are_different_and_in_any_order() -> None:
    rng = random.Random(5)
    drawn = Counter(tuple(slots(rng, 2)) for _ in range(2400))
    # 4 x 3 ordered pairs, 200 each with a standard error of 13.5.
    assert len(drawn) == 12
    assert all(abs(number - 200) < 54 for number in drawn.values())
    assert sorted(slots(rng, 4)) == [0, 1, 2, 3]
