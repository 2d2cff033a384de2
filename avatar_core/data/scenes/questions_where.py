"""Stage 3: which objects make the tones, and where they are."""

from __future__ import annotations

import random
from dataclasses import replace

from avatar_core.data.scenes.placing import cast, slots, tones_at
from avatar_core.data.scenes.questions import (
    BOTH,
    Draft,
    Template,
    perceived,
    placed,
    reading_order,
)
from avatar_core.data.scenes.questions_audio import matched_times, pitched_flashes
from avatar_core.data.scenes.world import PITCHES, POSITIONS


def _where(rng: random.Random, level: int, key: str) -> Draft:
    setting = pitched_flashes(rng, level, cast(rng, level + 1, cell=POSITIONS.index(key)))
    stem = f"Where is the object that makes the {setting.pitch} tone"
    thought = f"{matched_times(setting)} So {setting.pitch} is {key}."
    return Draft(setting.things, setting.tones, stem, key, thought)


def _which(rng: random.Random, level: int, key: str) -> Draft:
    setting = pitched_flashes(rng, level, cast(rng, level + 1, cell=POSITIONS.index(key)))
    maker = setting.things[0]
    stem = f"Which object makes the {setting.pitch} tone? Answer as position: object."
    thought = f"{matched_times(setting)} So {setting.pitch} is the {maker.name}."
    return Draft(setting.things, setting.tones, stem, placed(maker), thought)


def _sounding(rng: random.Random, level: int, key: str) -> Draft:
    # Every object flashes, with a tone or without, so the picture alone does not tell who sounds.
    drawn = cast(rng, level + 1, cell=POSITIONS.index(key))
    times = slots(rng, len(drawn))
    things = [replace(thing, flash=time) for thing, time in zip(drawn, times, strict=True)]
    makers = things[: rng.randint(1, level)]
    tones = tones_at({time: rng.choice(PITCHES) for time in times[: len(makers)]})
    stem = "Which objects make a tone? List them as position: object."
    names = " and ".join(f"the {thing.name}" for thing in reading_order(makers))
    answer = "; ".join(placed(thing) for thing in reading_order(makers))
    thought = f"{perceived(things, tones)} So it is {names}."
    return Draft(things, tones, stem, answer, thought)


_MATCH = "First list when each object flashes, then match the times of the tones."
_SORT = "First list the times of the tones, then keep the objects that flash at one of them."

LOCALISATION = (
    Template("where", 3, BOTH, "multiple choice", POSITIONS, _where, hint=_MATCH),
    Template("which", 3, BOTH, "localisation", POSITIONS, _which, hint=_MATCH),
    Template("sounding", 3, BOTH, "localisation", POSITIONS, _sounding, hint=_SORT),
)
