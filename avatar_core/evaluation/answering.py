"""Greedy answers to many samples, batched, one record per sample whatever happens to it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import torch

from avatar_core.asking import Asker
from avatar_core.errors import DataError, MediaError, OutOfMemoryError, is_out_of_memory
from avatar_core.evaluation.answers import gold_text, stated_answer
from avatar_core.models.policy import Policy, Prepared, Sampling
from avatar_core.records import EvalRow
from avatar_core.rewards import REWARDS
from avatar_core.types import Clip, Sample


class Reply(NamedTuple):
    """What the model wrote for one sample."""

    text: str
    """The completion without special tokens."""
    truncated: bool
    """Generation stopped at the length limit."""


class Asked(NamedTuple):
    """One sample that could be put to the model."""

    sample: Sample
    """The question."""
    clips: tuple[Clip, ...]
    """What was shown with it."""
    prepared: Prepared
    """The prompt."""


class Failed(NamedTuple):
    """One sample that could not."""

    sample: Sample
    """The question."""
    error: MediaError | DataError
    """Why."""


def batches_of(samples: Sequence[Sample], size: int) -> list[Sequence[Sample]]:
    """Cut samples into batches of `size`, the last one may be smaller."""
    return [samples[first : first + size] for first in range(0, len(samples), size)]


def answer_samples(
    policy: Policy,
    asker: Asker,
    samples: Sequence[Sample],
    *,
    max_new_tokens: int,
    batch_size: int,
) -> Iterator[EvalRow]:
    """Answer samples greedily and score them, yielding rows in order as batches finish.

    Args:
        policy: the model.
        asker: makes its prompts.
        samples: questions with reference answers.
        max_new_tokens: length limit of an answer.
        batch_size: samples answered together.
    """
    batches = batches_of(samples, batch_size)
    for rows in answer_batches(policy, asker, batches, max_new_tokens=max_new_tokens):
        yield from rows


def answer_batches(
    policy: Policy,
    asker: Asker,
    batches: Sequence[Sequence[Sample]],
    *,
    max_new_tokens: int,
) -> Iterator[list[EvalRow]]:
    """Answer batches one after the other, decoding the clips of the next one meanwhile."""
    sampling = Sampling(max_new_tokens=max_new_tokens, temperature=0.0)
    for number, batch in enumerate(batches):
        for following in batches[number + 1 : number + 2]:
            asker.prefetch(following)
        start = time.perf_counter()
        looked_at = look_at(asker, batch)
        asked = [entry for entry in looked_at if isinstance(entry, Asked)]
        replies = iter(reply(policy, [entry.prepared for entry in asked], sampling))
        seconds = (time.perf_counter() - start) / len(batch)
        yield [
            answered_row(entry.sample, entry.clips, next(replies), seconds)
            if isinstance(entry, Asked)
            else failed_row(entry.sample, entry.error, seconds)
            for entry in looked_at
        ]


def look_at(asker: Asker, batch: Sequence[Sample]) -> list[Asked | Failed]:
    """Decode the clips of a batch and prepare its prompts; a bad sample becomes a record."""
    found: list[Asked | Failed] = []
    for sample, clips in zip(batch, asker.clips(batch), strict=True):
        if isinstance(clips, MediaError):
            found.append(Failed(sample, clips))
            continue
        try:
            found.append(Asked(sample, clips, asker.prepare(sample, clips)))
        except DataError as error:
            found.append(Failed(sample, error))
    return found


def reply(policy: Policy, prompts: Sequence[Prepared], sampling: Sampling) -> list[Reply]:
    """One completion of each prompt; prompts that do not fit into memory are answered in halves.

    Raises:
        OutOfMemoryError: a single prompt does not fit.
    """
    try:
        return _replies(policy, prompts, sampling) if prompts else []
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
    # Outside the handler, whose error holds on to the tensors of the failed attempt.
    if len(prompts) == 1:
        raise OutOfMemoryError(
            f"a prompt of {len(prompts[0].input_ids)} tokens does not fit into memory by itself; "
            "lower --max-new-tokens, or the frames and pixels that media are read with"
        )
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    middle = len(prompts) // 2
    return [
        one
        for half in (prompts[:middle], prompts[middle:])
        for one in reply(policy, half, sampling)
    ]


@torch.no_grad()
def _replies(policy: Policy, prompts: Sequence[Prepared], sampling: Sampling) -> list[Reply]:
    """One completion of each prompt, all drawn together."""
    groups = policy.generate(policy.encode(prompts), sampling, [[0]] * len(prompts))
    return [Reply(policy.decode(drawn.token_ids), drawn.truncated) for (drawn,) in groups]


def answered_row(sample: Sample, clips: Sequence[Clip], replied: Reply, seconds: float) -> EvalRow:
    """The record of an answered sample.

    A reply that stopped at the length limit is `truncated` also when it states an answer; that
    answer counts. Any other reply is `ok` when it states one, else `unparsed`.
    """
    (score,) = REWARDS["accuracy"]([replied.text], sample)
    prediction = stated_answer(replied.text, sample)
    stated = "unparsed" if prediction is None else "ok"
    return EvalRow(
        id=sample.id,
        status="truncated" if replied.truncated else stated,
        prediction=prediction,
        gold=gold_text(sample),
        correct=None if score is None else score >= 1.0,
        score=score,
        text=replied.text,
        truncated=replied.truncated,
        modalities=modalities(clips),
        frames=frame_count(clips),
        groups=categories(sample),
        seconds=seconds,
        error=None,
    )


def failed_row(sample: Sample, error: MediaError | DataError, seconds: float) -> EvalRow:
    """The record of a sample that could not be asked; it counts as wrong."""
    missing = not all(Path(ref.path).exists() for ref in sample.media)
    return EvalRow(
        id=sample.id,
        status="missing_media" if missing else "error",
        prediction=None,
        gold=gold_text(sample),
        correct=False,
        score=0.0,
        text=None,
        truncated=False,
        modalities=(),
        frames=None,
        groups=categories(sample),
        seconds=seconds,
        error=str(error),
    )


def modalities(clips: Sequence[Clip]) -> tuple[str, ...]:
    """What the model was given, of "text", "frames", "sound"."""
    frames = any(clip.frames is not None for clip in clips)
    sound = any(clip.sound is not None for clip in clips)
    return ("text", *(["frames"] if frames else []), *(["sound"] if sound else []))


def frame_count(clips: Sequence[Clip]) -> int | None:
    """Frames the model was given; `None` without a picture."""
    return sum(len(clip.frames) for clip in clips if clip.frames is not None) or None


def categories(sample: Sample) -> dict[str, str]:
    """Breakdown categories of a sample: family, and stage and level where it has them."""
    found = {"family": sample.family, "stage": sample.stage, "level": sample.extra.get("level")}
    return {name: str(value) for name, value in found.items() if value is not None}
