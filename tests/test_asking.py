"""Questions as the model reads them, blanked clips, and one result for each sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from avatar_core.asking import Asker, blank_clip, question_text, states_all
from avatar_core.config.hints import HintPlace
from avatar_core.data.scenes import make_scene
from avatar_core.errors import MediaError
from avatar_core.models.policy import Prompt
from avatar_core.types import AudioMode, Clip, MediaRef, Sample


def make_sample(
    question: str, options: tuple[str, ...] = (), media: tuple[str, ...] = ()
) -> Sample:
    refs = tuple(MediaRef("video", path) for path in media)
    return Sample("id", question, refs, "A", "multiple choice", options)


def make_clip(ref: MediaRef) -> Clip:
    frames = np.full((2, 4, 4, 3), 7, dtype=np.uint8)
    return Clip(ref, frames, (0.0, 0.5), 2.0, np.ones(8, dtype=np.float32), 16_000, "av", "hash")


class FakeLoader:
    """Decodes every path but those that begin with `bad`."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, AudioMode | None]] = []

    def prefetch(self, refs: Sequence[MediaRef], *, audio: AudioMode | None = None) -> None:
        self.asked += [("prefetch", ref.path, audio) for ref in refs]

    def load_many(
        self, refs: Sequence[MediaRef], *, audio: AudioMode | None = None
    ) -> list[Clip | MediaError]:
        self.asked += [("load", ref.path, audio) for ref in refs]
        return [
            MediaError(ref.path, "broken") if ref.path.startswith("bad") else make_clip(ref)
            for ref in refs
        ]


class FakePolicy:
    """Returns the prompt it is given."""

    def prepare(self, prompt: Prompt) -> Prompt:
        return prompt


def make_asker(**options: Any) -> tuple[Asker, FakeLoader]:
    loader: Any = FakeLoader()
    policy: Any = FakePolicy()
    return Asker(policy, loader, **{"system_prompt": "Think.", **options}), loader


def test_options_are_lettered() -> None:
    text = question_text(make_sample("Which animal?", ("a cat", "a dog")))
    assert text == "Which animal?\nA. a cat\nB. a dog"


def test_options_that_the_question_states_are_not_repeated() -> None:
    sample = make_sample("Which colour is it: Red, blue or green?", ("red", "blue", "green"))
    assert question_text(sample) == sample.question


def test_a_question_without_options_stands_alone() -> None:
    assert question_text(make_sample("How many?")) == "How many?"


@pytest.mark.parametrize(
    ("place", "system_prompt", "system", "question"),
    [
        ("user", "Think.", "Think.", "Which?\nA. x\nB. y\nHint: Listen."),
        ("system", "Think.", "Think.\nHint: Listen.", "Which?\nA. x\nB. y"),
        ("system", None, "Hint: Listen.", "Which?\nA. x\nB. y"),
    ],
)
def test_a_hint_comes_last_in_its_turn_and_the_system_text_stays(
    place: HintPlace, system_prompt: str | None, system: str, question: str
) -> None:
    asker, _ = make_asker(system_prompt=system_prompt)
    sample = make_sample("Which?", ("x", "y"))
    prompt: Any = asker.prepare(sample, (), hint="Listen.", place=place)
    assert (prompt.system, prompt.texts) == (system, (question,))
    plain: Any = asker.prepare(sample, (), hint=None, place=place)
    assert (plain.system, plain.texts) == (system_prompt, ("Which?\nA. x\nB. y",))


def test_the_hint_of_a_sample_is_shown_to_nobody_who_does_not_ask_for_it() -> None:
    asker, _ = make_asker()
    sample = replace(make_sample("Which?", ("x", "y")), hint="Listen.")
    prompt: Any = asker.prepare(sample, ())
    assert (prompt.system, prompt.texts) == ("Think.", ("Which?\nA. x\nB. y",))


@pytest.mark.parametrize(
    ("question", "options", "stated"),
    [
        ("Is it red or blue?", ("red", "blue"), True),
        ("Is it red or blue?", ("Red", "BLUE"), True),
        # The letters follow the order of the options, so the question has to, too.
        ("Is it blue or red?", ("red", "blue"), False),
        ("Is it red or blue?", ("red", "blue", "green"), False),
        # "no" is in "know", "yes" in "eyes": not as words.
        ("Do the eyes know?", ("yes", "no"), False),
        ("How many of the 12 are 3?", ("1", "2", "3"), False),
        ("Is it 1, 2 or 3?", ("1", "2", "3"), True),
        ("Is it red?", ("red", "red"), False),
        ("Is it a (b) or c.d?", ("(b)", "c.d"), False),
        ("Which?", (), True),
    ],
)
def test_stating_options(question: str, options: tuple[str, ...], stated: bool) -> None:
    assert states_all(question, options) is stated


def test_questions_of_the_scenes_state_their_options() -> None:
    cases = 0
    for index in range(320):
        question = make_scene(4, "validation", index, 0).question
        if question.options:
            assert states_all(question.text, question.options), question.text
            cases += 1
    assert cases > 200


def test_blanking_keeps_shapes_and_the_other_modality() -> None:
    clip = make_clip(MediaRef("video", "a"))
    dark = blank_clip(clip, frozenset({"frames"}))
    assert dark.frames is not None and dark.frames.shape == (2, 4, 4, 3) and not dark.frames.any()
    assert dark.sound is clip.sound
    quiet = blank_clip(clip, frozenset({"sound"}))
    assert quiet.sound is not None and quiet.sound.shape == (8,) and not quiet.sound.any()
    assert quiet.frames is clip.frames
    assert clip.frames is not None and clip.frames.all()
    both = blank_clip(dark, frozenset({"frames", "sound"}))
    assert both.frames is not None and both.sound is not None and not both.sound.any()


def test_clips_come_in_order_with_the_first_error_of_each_sample() -> None:
    asker, loader = make_asker(audio="off")
    samples = [
        make_sample("one", media=("a", "b")),
        make_sample("two", media=("c", "bad1", "bad2")),
        make_sample("three"),
        make_sample("four", media=("d",)),
    ]
    one, two, three, four = asker.clips(samples)
    assert isinstance(one, tuple) and [clip.ref.path for clip in one] == ["a", "b"]
    assert isinstance(two, MediaError) and two.path == "bad1"
    assert three == ()
    assert isinstance(four, tuple) and [clip.ref.path for clip in four] == ["d"]
    paths = ["a", "b", "c", "bad1", "bad2", "d"]
    assert loader.asked == [("load", path, "off") for path in paths]


def test_prefetching_asks_for_the_same_media() -> None:
    asker, loader = make_asker()
    asker.prefetch([make_sample("one", media=("a",)), make_sample("two", media=("b",))])
    assert loader.asked == [("prefetch", "a", None), ("prefetch", "b", None)]


def test_a_prepared_prompt_carries_system_clips_and_question() -> None:
    asker, _ = make_asker(blanked=frozenset({"sound"}))
    sample = make_sample("Which?", ("x", "y"), media=("a",))
    (clips,) = asker.clips([sample])
    assert isinstance(clips, tuple)
    prompt: Any = asker.prepare(sample, clips)
    assert prompt.system == "Think."
    assert prompt.texts == ("Which?\nA. x\nB. y",)
    assert not prompt.clips[0].sound.any()
    assert prompt.clips[0].frames.all()


def test_an_empty_system_prompt_is_none() -> None:
    for system in ("", None):
        asker, _ = make_asker(system_prompt=system)
        prompt: Any = asker.prepare(make_sample("Which?"), ())
        assert prompt.system is None
