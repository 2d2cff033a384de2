"""Samples, completions and responders that the judge's tests share."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from avatar_core.data.scenes import make_scene
from avatar_core.rewards.judging.chat import Reply
from avatar_core.rewards.judging.rubric import ChatPrompt
from avatar_core.types import Clip, MediaRef, Sample

SAMPLE = Sample(
    id="dog",
    question="Where is the dog that barks?",
    media=(),
    solution="left: dog",
    problem_type="localisation",
    extra={"audio_cues": "a dog barks twice"},
)
COMPLETION = "<think>Something barks on the left.</think><answer>left: dog</answer>"


def completions(count: int) -> list[str]:
    """Completions that differ in their reasoning."""
    return [COMPLETION.replace("Something", f"Thing {index}") for index in range(count)]


def clip_of(frames: int, height: int = 28, width: int = 42) -> Clip:
    """A clip whose frame i is of grey level i."""
    pixels = np.zeros((frames, height, width, 3), np.uint8)
    pixels += np.arange(frames, dtype=np.uint8)[:, None, None, None]
    return Clip(MediaRef("video", "grey.mp4"), pixels, (), 2.0, None, 16_000, "av", "0")


def scene_sample(stage: int, index: int) -> Sample:
    """A sample of `scenes` as the library makes it, but without a rendered clip."""
    scene, question = make_scene(0, "train", index, stage)
    return Sample(
        id=f"scenes/train/0/{stage}/{index}",
        question=question.text,
        media=(),
        solution=question.solution,
        problem_type=question.problem_type,
        options=question.options,
        responses=(question.response,),
        stage=stage,
        family=question.template,
        needs=question.needs,
        extra={"facts": scene.facts()},
    )


def without_cues(sample: Sample) -> Sample:
    return replace(sample, extra={})


class Scripted:
    """A responder that gives its replies in turn and remembers what it was asked."""

    identity: tuple[str, ...] = ("scripted",)

    def __init__(self, *replies: Reply | str) -> None:
        self.replies = [Reply(one) if isinstance(one, str) else one for one in replies]
        self.asked: list[ChatPrompt] = []

    def answer(self, prompts: Sequence[ChatPrompt]) -> list[Reply]:
        start = len(self.asked)
        self.asked += prompts
        return [self.replies[(start + i) % len(self.replies)] for i in range(len(prompts))]


def fuzzed(seed: int, pieces: Sequence[str], most: int) -> str:
    rng = random.Random(seed)
    return "".join(rng.choice(pieces) for _ in range(rng.randint(0, most)))
