"""Templates of stage 1: a draft's objects bear out its answer, level by level."""

from __future__ import annotations

from avatar_core.data.scenes.questions_visual import VISUAL
from avatar_core.data.scenes.world import Thing
from tests.data.drafts import drafts, expected

NAMES = [template.name for template in VISUAL]


def only(things: list[Thing]) -> Thing:
    (thing,) = things
    return thing


def test_every_draft_answers_its_key() -> None:
    cases = 0
    for name in NAMES:
        for _, key, draft in drafts(name):
            assert draft.answer == key
            # No two objects may begin in one cell; sentences name objects by where they begin.
            assert len({thing.cell for thing in draft.things}) == len(draft.things)
            cases += 1
    assert cases == sum(map(expected, NAMES)) > 1000


def test_colour_shape_and_position_single_out_one_object() -> None:
    cases = 0
    for level, key, draft in drafts("colour"):
        asked = draft.stem.rpartition(" ")[2]
        assert only([t for t in draft.things if t.shape == asked]).colour == key
        assert len(draft.things) == level
        cases += 1
    for level, key, draft in drafts("shape"):
        asked = draft.stem.split(" ")[4]
        assert only([t for t in draft.things if t.colour == asked]).shape == key
        assert len(draft.things) == level
        cases += 1
    for level, key, draft in drafts("position"):
        asked = draft.stem.removeprefix("Where is the ")
        target = only([t for t in draft.things if t.name == asked])
        assert target.position == key
        if level == 3:
            # Another of its shape and another of its colour: half of the name is not enough.
            assert sum(t.shape == target.shape for t in draft.things) >= 2
            assert sum(t.colour == target.colour for t in draft.things) == 2
        cases += 1
    assert cases == sum(map(expected, ("colour", "shape", "position")))


def test_the_mover_moves_as_asked_and_meets_nobody() -> None:
    cases = 0
    for level, key, draft in drafts("direction"):
        asked = draft.stem.split(" ")[4]
        target = draft.things[0]
        assert (target.shape, target.motion) == (asked, key)
        assert (target.end_cell == target.cell) == (key == "still")
        used = [cell for thing in draft.things for cell in {thing.cell, thing.end_cell}]
        assert len(used) == len(set(used))
        assert len(draft.things) == level
        cases += 1
    assert cases == expected("direction")


def test_counts_are_of_all_objects_whenever_they_appear() -> None:
    cases = 0
    for level, key, draft in drafts("object count"):
        assert len(draft.things) == int(key)
        assert level == 3 or all(thing.appears == 0 for thing in draft.things)
        assert level == 2 or all(thing.flash is None for thing in draft.things)
        cases += 1
    assert cases == expected("object count")


def test_the_first_appears_before_every_other() -> None:
    cases = 0
    for level, key, draft in drafts("first"):
        times = sorted((thing.appears, thing.colour) for thing in draft.things)
        assert times[0][1] == key
        assert times[0][0] < times[1][0]
        assert len(times) == (2, 2, 3)[level - 1]
        # At level 1 a whole second and more lies between them.
        assert level > 1 or times[1][0] - times[0][0] >= 2
        cases += 1
    assert cases == expected("first")


def test_one_object_flashes() -> None:
    cases = 0
    for level, key, draft in drafts("flash"):
        assert only([t for t in draft.things if t.flash is not None]).colour == key
        assert len(draft.things) == level + 1
        cases += 1
    assert cases == expected("flash")
