"""Stage 2: questions about the sound, and about how sound and picture go together."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import NamedTuple
from typing import cast as typed

from avatar_core.data.scenes.placing import any_tones, cast, slots, tones_at, wander
from avatar_core.data.scenes.questions import (
    BOTH,
    FRAMES,
    SOUND,
    Draft,
    Template,
    flashing,
    heard,
    perceived,
    seen,
    told,
)
from avatar_core.data.scenes.world import COLOURS, PITCHES, SILENCE, SLOTS, Pitch, Thing, Tones


class Setting(NamedTuple):
    """Objects that flash and the tones beside them.

    Attributes:
        things: the objects; the first is the one a question is about.
        tones: the sound track.
        pitch: the pitch that the question is about.
    """

    things: list[Thing]
    tones: Tones
    pitch: Pitch


_ADJACENT = tuple((slot, slot + 1) for slot in range(SLOTS - 1))


def _tone_count(rng: random.Random, level: int, key: str) -> Draft:
    one = rng.choice(PITCHES)
    tones = tones_at(
        {slot: one if level == 1 else rng.choice(PITCHES) for slot in slots(rng, int(key))}
    )
    return Draft(
        _backdrop(rng, level),
        tones,
        "How many tones are there",
        key,
        f"I hear {key} in all: {told(tones)}. So there are {key}.",
    )


def _pitch(rng: random.Random, level: int, key: str) -> Draft:
    asked = typed(Pitch, key)
    if level == 1:
        which, tones = "the tone", tones_at({rng.randrange(SLOTS): asked})
    else:
        which = rng.choice(("the first tone", "the last tone"))
        times = sorted(slots(rng, level), reverse=which == "the last tone")
        others = {slot: rng.choice(PITCHES) for slot in times[1:]}
        tones = tones_at({times[0]: asked, **others})
    thought = f"{heard(tones)} So {which} is {key}."
    return Draft(_backdrop(rng, level), tones, f"What pitch is {which}", key, thought)


def _flash_pitch(rng: random.Random, level: int, key: str) -> Draft:
    setting = pitched_flashes(rng, level, cast(rng, min(level + 1, 3), colour=key))
    stem = f"Which colour flashes with the {setting.pitch} tone"
    thought = f"{matched_times(setting)} So {key} makes the {setting.pitch} tone."
    return Draft(setting.things, setting.tones, stem, key, thought)


def pitched_flashes(rng: random.Random, level: int, things: list[Thing]) -> Setting:
    """Let the first object flash with a tone of one pitch, others with tones of the other pitch.

    One other flashes at levels 1 and 2, all others at level 3. Only the first object makes the
    pitch that the setting names.
    """
    pitch = rng.choice(PITCHES)
    other = PITCHES[1 - PITCHES.index(pitch)]
    flashers = len(things) if level == 3 else 2
    times = slots(rng, flashers)
    lit = [replace(thing, flash=time) for thing, time in zip(things, times, strict=False)]
    tones = tones_at({time: pitch if index == 0 else other for index, time in enumerate(times)})
    return Setting([*lit, *things[flashers:]], tones, pitch)


def matched_times(setting: Setting) -> str:
    """What is seen and heard, and when the only tone of the setting's pitch is."""
    things, tones, pitch = setting
    time = tones.index(pitch) + 1
    return f"{perceived(things, tones)} The {pitch} tone is at {time}."


def _together(rng: random.Random, level: int, key: str) -> Draft:
    flash, elsewhere = slots(rng, 2)
    tone = flash if key == "yes" else elsewhere
    setting = _one_flash(rng, level, flash, tone)
    verb = "is" if key == "yes" else "is not"
    thought = f"{_both_times(setting, tone, flash)} So the tone {verb} with the flash."
    return Draft(setting.things, setting.tones, "Is the tone with the flash", key, thought)


def _order(rng: random.Random, level: int, key: str) -> Draft:
    # Neighbouring slots only: of all draws this tells least to who knows just one of the two times
    # (4 in 9 against 3 in 9 by chance), since only the outermost slots exclude an answer.
    early, late = rng.choice(_ADJACENT)
    same = rng.randrange(SLOTS)
    tone, flash = {"before": (early, late), "after": (late, early), "with": (same, same)}[key]
    setting = _one_flash(rng, level, flash, tone)
    thought = f"{_both_times(setting, tone, flash)} So the tone is {key} the flash."
    stem = "When is the tone heard relative to the flash"
    return Draft(setting.things, setting.tones, stem, key, thought)


def _both_times(setting: Setting, tone: int, flash: int) -> str:
    """What is seen and heard, and the slots of the only tone and of the only flash side by side."""
    times = f"The tone is at {tone + 1}, the flash at {flash + 1}."
    return f"{perceived(setting.things, setting.tones)} {times}"


def _one_flash(rng: random.Random, level: int, flash: int, tone: int) -> Setting:
    things = cast(rng, level)
    things[0] = replace(things[0], flash=flash)
    pitch = rng.choice(PITCHES)
    things = wander(rng, things, 0.5 if level == 3 else 0.0)
    return Setting(things, tones_at({tone: pitch}), pitch)


def _flash_amid_tones(rng: random.Random, level: int, key: str) -> Draft:
    things = cast(rng, level, colour=key)
    things[0] = replace(things[0], flash=rng.randrange(SLOTS))
    tones = SILENCE
    while tones == SILENCE:
        tones = any_tones(rng)
    thought = f"{seen(things, flashing)} So the colour is {key}."
    return Draft(things, tones, "What colour is the object that flashes", key, thought)


def _backdrop(rng: random.Random, level: int) -> list[Thing]:
    """A picture unrelated to the sound: objects move from level 2 on and also flash at level 3."""
    things = wander(rng, cast(rng, level), 0.5 if level > 1 else 0.0)
    if level < 3:
        return things
    return [replace(thing, flash=rng.choice((None, *range(SLOTS)))) for thing in things]


AUDIO_VISUAL = (
    Template("tone count", 2, SOUND, "numerical", ("1", "2", "3", "4"), _tone_count),
    Template("pitch", 2, SOUND, "multiple choice", PITCHES, _pitch),
    Template("flash pitch", 2, BOTH, "multiple choice", COLOURS, _flash_pitch),
    Template("together", 2, BOTH, "multiple choice", ("yes", "no"), _together),
    Template("order", 2, BOTH, "multiple choice", ("before", "after", "with"), _order),
    Template("flash amid tones", 2, FRAMES, "multiple choice", COLOURS, _flash_amid_tones),
)
