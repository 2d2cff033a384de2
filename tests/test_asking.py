"""Questions as the model reads them, blanked clips, and one result for each sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from avatar_core.asking import Asker, blank_clip
from avatar_core.config.hints import HintPlace
from avatar_core.errors import MediaError
from avatar_core.models.policy import Prompt
from avatar_core.types import AudioMode, Clip, MediaRef, Sample
from avatar_core.wording import sample_content


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
    one, two, three, four = asker.clips([sample_content(sample) for sample in samples])
    assert isinstance(one, tuple) and [clip.ref.path for clip in one] == ["a", "b"]
    assert isinstance(two, MediaError) and two.path == "bad1"
    assert three == ()
    assert isinstance(four, tuple) and [clip.ref.path for clip in four] == ["d"]
    paths = ["a", "b", "c", "bad1", "bad2", "d"]
    assert loader.asked == [("load", path, "off") for path in paths]


def test_prefetching_asks_for_the_same_media() -> None:
    asker, loader = make_asker()
    asker.prefetch([(MediaRef("video", "a"), "?"), ("?", MediaRef("video", "b"))])
    assert loader.asked == [("prefetch", "a", None), ("prefetch", "b", None)]


def test_a_prepared_prompt_carries_system_clips_and_question() -> None:
    asker, _ = make_asker(blanked=frozenset({"sound"}))
    sample = make_sample("Which?", ("x", "y"), media=("a",))
    (clips,) = asker.clips([sample_content(sample)])
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
