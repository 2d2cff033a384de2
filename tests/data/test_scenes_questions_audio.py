"""Templates of stage 2: tones and flashes of a draft bear out its answer, level by level."""

from __future__ import annotations

import random

from avatar_core.data.scenes.placing import cast
from avatar_core.data.scenes.questions import Draft
from avatar_core.data.scenes.questions_audio import pitched_flashes
from avatar_core.data.scenes.world import Thing
from tests.data.drafts import drafts, expected


def heard(draft: Draft) -> list[tuple[int, str]]:
    """Slot and pitch of every tone, in order of time."""
    return [(slot, pitch) for slot, pitch in enumerate(draft.tones) if pitch]


def flashes(draft: Draft) -> list[tuple[int, Thing]]:
    return [(thing.flash, thing) for thing in draft.things if thing.flash is not None]


def test_tones_are_counted() -> None:
    cases = 0
    for level, key, draft in drafts("tone count"):
        assert draft.answer == key
        assert len(heard(draft)) == int(key)
        # Level 1 has one pitch throughout.
        assert level > 1 or len({pitch for _, pitch in heard(draft)}) == 1
        cases += 1
    assert cases == expected("tone count")


def test_the_pitch_is_that_of_the_tone_asked_for() -> None:
    cases = 0
    for level, key, draft in drafts("pitch"):
        place = -1 if "last tone" in draft.stem else 0
        assert heard(draft)[place][1] == draft.answer == key
        assert len(heard(draft)) == level
        assert ("What pitch is the tone" in draft.stem) == (level == 1)
        cases += 1
    assert cases == expected("pitch")


def test_one_object_makes_the_pitch_asked_for() -> None:
    cases = 0
    for _, key, draft in drafts("flash pitch"):
        pitch = "high" if "the high tone" in draft.stem else "low"
        ((flash, maker),) = [
            (slot, thing) for slot, thing in flashes(draft) if (slot, pitch) in heard(draft)
        ]
        assert maker.colour == draft.answer == key
        assert f"The {pitch} tone is at {flash + 1}. So" in draft.thought
        # The picture alone leaves a choice: another object flashes too.
        assert len(flashes(draft)) >= 2
        cases += 1
    assert cases == expected("flash pitch")


def test_all_others_flash_with_the_other_pitch_at_the_highest_level() -> None:
    rng, cases = random.Random(0), 0
    for level, flashers in ((1, 2), (2, 2), (3, 3)):
        for _ in range(50):
            setting = pitched_flashes(rng, level, cast(rng, 3))
            times = [thing.flash for thing in setting.things]
            assert [time is not None for time in times] == [True] * flashers + [False] * (
                3 - flashers
            )
            assert setting.tones[times[0] or 0] == setting.pitch
            for time in times[1:flashers]:
                assert time is not None
                assert setting.tones[time] not in (setting.pitch, None)
            assert sum(tone is not None for tone in setting.tones) == flashers
            cases += 1
    assert cases == 150


def test_together_and_order_compare_one_tone_with_one_flash() -> None:
    cases = 0
    for name in ("together", "order"):
        for _, key, draft in drafts(name):
            ((tone, _),) = heard(draft)
            ((flash, _),) = flashes(draft)
            relation = "with" if tone == flash else "before" if tone < flash else "after"
            if name == "together":
                assert key == ("yes" if relation == "with" else "no")
            else:
                assert key == relation
                assert abs(tone - flash) <= 1
            assert draft.answer == key
            # Both times stand side by side before they are compared.
            assert f"The tone is at {tone + 1}, the flash at {flash + 1}. So" in draft.thought
            cases += 1
    assert cases == expected("together") + expected("order")


def test_a_flash_amid_tones_has_tones_that_say_nothing() -> None:
    alone = together = 0
    for level, key, draft in drafts("flash amid tones"):
        ((flash, thing),) = flashes(draft)
        assert thing.colour == draft.answer == key
        assert len(draft.things) == level
        assert heard(draft) != []
        together += draft.tones[flash] is not None
        alone += draft.tones[flash] is None
    assert together + alone == expected("flash amid tones")
    # Tone or none in the flash's slot: two in three of what is not silent, and both occur.
    assert min(together, alone) > 40
