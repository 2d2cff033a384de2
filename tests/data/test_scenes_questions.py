"""Questions and traces: words fit the facts, letters the choices, traces the needed modalities."""

from __future__ import annotations

import re

from avatar_core.data.scenes import TEMPLATES, make_scene
from avatar_core.data.scenes.questions import FRAMES, SOUND, either

DRAWN = [make_scene(4, "validation", index, 0) for index in range(800)]


def test_choices_are_in_the_text_and_the_letter_names_the_answer() -> None:
    letters = 0
    for _, question in DRAWN:
        if question.problem_type == "multiple choice":
            assert question.text.endswith(f": {either(question.options)}?")
            assert question.options["ABCDE".index(question.solution)] == question.answer
            letters += 1
        else:
            assert question.options == ()
            assert question.solution == question.answer
    # 16 of the 21 places of a turn give options; 800 indices are 38 turns and the 2 places that
    # begin the next one, which give them: 38 x 16 + 2.
    assert letters == 610


def test_response_ends_in_the_answer_text() -> None:
    cases = 0
    for _, question in DRAWN:
        match = re.fullmatch(r"<think>([^<>]+)</think><answer>([^<>]+)</answer>", question.response)
        assert match is not None
        assert match[2] == question.answer
        cases += 1
    assert cases == 800


def test_trace_reports_the_needed_modalities_only() -> None:
    cases = 0
    for _, question in DRAWN:
        assert ("I see" in question.response) == (question.needs != SOUND)
        assert ("I hear" in question.response) == (question.needs != FRAMES)
        cases += 1
    assert cases == 800


def test_trace_names_every_object_and_every_tone_with_its_time() -> None:
    objects = tones = 0
    for scene, question in DRAWN:
        if question.needs != SOUND:
            for thing in scene.things:
                assert f"{thing.position} a {thing.name}" in question.response
                objects += 1
        if question.needs != FRAMES:
            heard = re.findall(r"(high|low) at (\d)", question.response)
            pitches = [(p, str(slot + 1)) for slot, p in enumerate(scene.tones) if p]
            assert heard == pitches
            tones += len(heard)
    assert objects > 1000
    assert tones > 500


def test_traces_are_short_and_use_few_words() -> None:
    words = [re.findall(r"[a-z0-9]+", question.response.lower()) for _, question in DRAWN]
    lengths = sorted(map(len, words))
    assert lengths[400] <= 34  # the four tag words included
    assert lengths[-1] <= 75
    assert len({word for text in words for word in text}) < 80


def test_stages_hold_the_templates_they_should() -> None:
    stages = [template.stage for template in TEMPLATES]
    assert (stages.count(1), stages.count(2), stages.count(3)) == (7, 6, 3)
    assert all(template.needs == FRAMES for template in TEMPLATES if template.stage == 1)
