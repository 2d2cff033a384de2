"""Draws of objects and tones that the question templates share."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from avatar_core.data.scenes.world import (
    COLOURS,
    MOTIONS,
    PITCHES,
    SHAPES,
    SILENCE,
    SLOTS,
    Pitch,
    Thing,
    Tones,
    neighbour,
)

T = TypeVar("T")


def cast(
    rng: random.Random,
    count: int,
    *,
    colour: str | None = None,
    shape: str | None = None,
    cell: int | None = None,
) -> list[Thing]:
    """Draw `count` (1 to 4) still objects of different colours and cells.

    Shapes differ too among the first three. The first object is the one a question is about;
    colour, shape and cell, where given, are its own.
    """
    colours = _leading(rng, COLOURS, colour)
    shapes = _leading(rng, SHAPES, shape)
    cells = _leading(rng, range(4), cell)
    return [
        Thing(
            colours[index],
            shapes[index] if index < len(shapes) else rng.choice(SHAPES),
            cells[index],
        )
        for index in range(count)
    ]


def _leading(rng: random.Random, values: Sequence[T], first: T | None) -> list[T]:
    rest = [value for value in values if value != first]
    rng.shuffle(rest)
    return rest if first is None else [first, *rest]


def wander(rng: random.Random, things: Sequence[Thing], chance: float = 0.5) -> list[Thing]:
    """Let each object but the first move with this chance, into a cell that no other one uses."""
    taken = {cell for thing in things for cell in (thing.cell, thing.end_cell)}
    moved = [things[0]]
    for thing in things[1:]:
        open_ways = [way for way in MOTIONS[:4] if neighbour(thing.cell, way) not in (None, *taken)]
        if open_ways and rng.random() < chance:
            thing = replace(thing, motion=rng.choice(open_ways))
            taken.add(thing.end_cell)
        moved.append(thing)
    return moved


def any_tones(rng: random.Random) -> Tones:
    """A sound track unrelated to the picture: silence twice in five draws, else anything."""
    if rng.random() < 0.4:
        return SILENCE
    return tones_at({slot: rng.choice((None, *PITCHES)) for slot in range(SLOTS)})


def tones_at(pitches: dict[int, Pitch | None]) -> Tones:
    """A sound track with these pitches in these slots and silence elsewhere."""
    return (pitches.get(0), pitches.get(1), pitches.get(2), pitches.get(3))


def slots(rng: random.Random, count: int) -> list[int]:
    """Draw `count` different slots in random order."""
    return rng.sample(range(SLOTS), count)
