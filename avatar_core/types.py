"""The nouns in memory that more than one package speaks: media references, clips, samples.

Nothing here imports torch, reads a file or holds configuration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np

MediaKind = Literal["video", "image", "audio"]
AudioMode = Literal["auto", "on", "off"]
VideoReader = Literal["auto", "av", "decord"]
ProblemType = Literal[
    "multiple choice", "numerical", "ocr", "free-form", "regression", "localisation"
]
ACCURACY = "accuracy"
"""The reward function, and so the part of a reward, that says how right an answer is."""


@dataclass(frozen=True, slots=True)
class MediaRef:
    """One media file of a prompt, or a part of it.

    Attributes:
        kind: what it is shown as.
        path: the file; for a video also a folder of numbered pictures.
        start: first second of a window, `None` for the start of the file; of an image, the moment
            of a video file whose frame is shown.
        end: last second of a window; `None` for the end of the file.
        fps: pictures per second of a folder of pictures, numbered from 1; `None` for a file.
    """

    kind: MediaKind
    path: str
    start: float | None = None
    end: float | None = None
    fps: float | None = None


Content: TypeAlias = tuple[MediaRef | str, ...]
"""Media and texts of a user turn, in order."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A decoded media file, ready for a processor.

    Attributes:
        ref: what was decoded.
        frames: uint8 RGB of shape [frames, height, width, 3], already resized; `None` for audio.
        times: presentation time of each frame in seconds from the start of the file.
        fps: frames per second of the sampled frames (not of the file).
        sound: float32 mono samples at `sample_rate`; `None` when there is none or none was wanted.
        sample_rate: of `sound`, in hertz.
        reader: "av", "decord" or "image": which library produced the frames.
        content_hash: BLAKE2b of the file's bytes, hexadecimal.
    """

    ref: MediaRef
    frames: np.ndarray | None
    times: tuple[float, ...]
    fps: float
    sound: np.ndarray | None
    sample_rate: int
    reader: str
    content_hash: str


@dataclass(frozen=True, slots=True)
class Sample:
    """One question about some media, with what is needed to score an answer.

    Attributes:
        id: stable identity; baselines, tiers and results key on it.
        question: the text put to the model.
        media: the files the question is about, in prompt order.
        solution: the reference answer as text; for multiple choice a letter.
        problem_type: how an answer is scored.
        options: option texts of a multiple-choice question, in letter order.
        responses: reasoning traces with answers for supervised training, all of them taught; empty
            when there are none.
        stage: training stage the sample belongs to; `None` when it says nothing of it.
        family: name of the question template or task, for breakdowns.
        needs: modalities without which the question cannot be answered; empty when unknown.
        hint: one strategic suggestion for stuck prompts.
        extra: fields of the source row that have no place above; `audio_cues`, a text or a list of
            texts, is the caption of what is heard.
    """

    id: str
    question: str
    media: tuple[MediaRef, ...]
    solution: str
    problem_type: ProblemType
    options: tuple[str, ...] = ()
    responses: tuple[str, ...] = ()
    stage: int | None = None
    family: str | None = None
    needs: frozenset[Literal["frames", "sound"]] = frozenset()
    hint: str | None = None
    extra: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Completion:
    """One sampled answer to a prompt, as the behaviour policy produced it.

    Attributes:
        token_ids: int32 [tokens], the end-of-turn token included when it was sampled.
        logprobs: float32 [tokens], natural logarithm of the behaviour policy's full softmax.
        text: the decoded tokens without special tokens.
        truncated: generation stopped at the length limit.
        reward: weighted total; `None` when it could not be scored.
        parts: reward of each function by name, unweighted; `None` where one could not score.
    """

    token_ids: np.ndarray
    logprobs: np.ndarray
    text: str
    truncated: bool
    reward: float | None = None
    parts: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """One visit of one prompt: unit of rollout, advantage and replay; holds no pixels or audio.

    Attributes:
        prompt_id: `Sample.id` of the prompt.
        step: optimiser step of the policy that produced the completions (the behaviour policy).
        completions: in order of their draw.
        hinted: the prompt carried a hint; such a group never enters the prompt's baseline.
        media_key: content hashes of the clips that the prompt showed, joined by `+`.
    """

    prompt_id: str
    step: int
    completions: tuple[Completion, ...]
    hinted: bool = False
    media_key: str = ""
