"""Stage 1: questions that the picture alone answers; the sound has nothing to do with them."""

from __future__ import annotations

import random
from dataclasses import replace

from avatar_core.data.scenes.placing import any_tones, cast, slots, wander
from avatar_core.data.scenes.questions import FRAMES, Draft, Template, flashing, seen
from avatar_core.data.scenes.world import (
    COLOURS,
    MOTIONS,
    POSITIONS,
    SHAPES,
    SLOTS,
    Thing,
    neighbour,
)


def _colour(rng: random.Random, level: int, key: str) -> Draft:
    things = _unsettle(rng, level, cast(rng, level, colour=key))
    shape = things[0].shape
    stem = f"What colour is the {shape}"
    return Draft(things, any_tones(rng), stem, key, f"{seen(things)} So the {shape} is {key}.")


def _shape(rng: random.Random, level: int, key: str) -> Draft:
    things = _unsettle(rng, level, cast(rng, level, shape=key))
    colour = things[0].colour
    stem = f"What shape is the {colour} object"
    return Draft(
        things, any_tones(rng), stem, key, f"{seen(things)} So the {colour} object is a {key}."
    )


def _position(rng: random.Random, level: int, key: str) -> Draft:
    things = cast(rng, level, cell=POSITIONS.index(key))
    if level == 3:
        # Each distractor shares something with the target: neither colour nor shape alone finds it.
        things[1] = replace(things[1], shape=things[0].shape)
        things[2] = replace(things[2], colour=things[0].colour)
    name = things[0].name
    return Draft(
        things,
        any_tones(rng),
        f"Where is the {name}",
        key,
        f"{seen(things)} So the {name} is {key}.",
    )


def _direction(rng: random.Random, level: int, key: str) -> Draft:
    start = rng.choice(
        [cell for cell in range(4) if key == "still" or neighbour(cell, key) is not None]
    )
    things = cast(rng, level, cell=start)
    target = replace(things[0], motion=key)
    free = [cell for cell in range(4) if cell not in (target.cell, target.end_cell)]
    # A mover needs two cells, which leaves room for two others.
    places = rng.sample(free, level - 1)
    others = [replace(thing, cell=cell) for thing, cell in zip(things[1:], places, strict=True)]
    things = wander(rng, [target, *others], chance=0.6)
    thought = f"{seen(things, _course)} So the {target.shape} {_moves(key)}."
    return Draft(things, any_tones(rng), f"Which way does the {target.shape} move", key, thought)


def _course(thing: Thing) -> str:
    return " staying" if thing.motion == "still" else f" going to {POSITIONS[thing.end_cell]}"


def _moves(motion: str) -> str:
    return "is still" if motion == "still" else f"moves {motion}"


def _count(rng: random.Random, level: int, key: str) -> Draft:
    things = cast(rng, int(key))
    if level == 2:
        things = [replace(thing, flash=rng.choice((None, *range(SLOTS)))) for thing in things]
    if level == 3:
        things = [replace(thing, appears=rng.randrange(SLOTS)) for thing in things]
    return Draft(
        things,
        any_tones(rng),
        "How many objects are there",
        key,
        f"{seen(things)} So there are {key}.",
    )


def _first(rng: random.Random, level: int, key: str) -> Draft:
    things = cast(rng, 2 if level == 1 else level, colour=key)
    times = [0, rng.choice((2, 3))] if level == 1 else sorted(slots(rng, len(things)))
    # Times are sorted, so the target gets the earliest and the others come in random places anyway.
    things = [replace(thing, appears=time) for thing, time in zip(things, times, strict=True)]
    thought = f"{seen(things, lambda thing: f' from {thing.appears + 1}')} So {key} is first."
    return Draft(things, any_tones(rng), "Which colour appears first", key, thought)


def _flash(rng: random.Random, level: int, key: str) -> Draft:
    things = cast(rng, level + 1, colour=key)
    things[0] = replace(things[0], flash=rng.randrange(SLOTS))
    if level == 2:
        things = wander(rng, things)
    thought = f"{seen(things, flashing)} So {key} flashes."
    return Draft(things, any_tones(rng), "Which colour flashes", key, thought)


def _unsettle(rng: random.Random, level: int, things: list[Thing]) -> list[Thing]:
    return wander(rng, things) if level == 3 else things


VISUAL = (
    Template("colour", 1, FRAMES, "multiple choice", COLOURS, _colour),
    Template("shape", 1, FRAMES, "multiple choice", SHAPES, _shape),
    Template("position", 1, FRAMES, "multiple choice", POSITIONS, _position),
    Template("direction", 1, FRAMES, "multiple choice", MOTIONS, _direction),
    Template("object count", 1, FRAMES, "numerical", ("1", "2", "3", "4"), _count),
    Template("first", 1, FRAMES, "multiple choice", COLOURS, _first),
    Template("flash", 1, FRAMES, "multiple choice", COLOURS, _flash),
)
