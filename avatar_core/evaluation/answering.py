"""Greedy answers to many samples, batched, one record per sample whatever happens to its media."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from avatar_core.asking import Asker
from avatar_core.errors import MediaError
from avatar_core.models.policy import Policy, Sampling
from avatar_core.records import EvalRow
from avatar_core.rewards import REWARDS
from avatar_core.rewards.answer import answer_text, split_completion
from avatar_core.types import Clip, Sample


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
    sampling = Sampling(max_new_tokens=max_new_tokens, temperature=0.0)
    for first in range(0, len(samples), batch_size):
        batch = samples[first : first + batch_size]
        asker.prefetch(samples[first + batch_size : first + 2 * batch_size])
        start = time.perf_counter()
        shown = asker.clips(batch)
        whole = [
            (s, c) for s, c in zip(batch, shown, strict=True) if not isinstance(c, MediaError)
        ]
        texts: dict[str, tuple[str, bool]] = {}
        if whole:
            encoded = policy.encode([asker.prepare(sample, clips) for sample, clips in whole])
            groups = policy.generate(encoded, sampling, [[0]] * len(whole))
            for (sample, _), (drawn,) in zip(whole, groups, strict=True):
                texts[sample.id] = (policy.decode(drawn.token_ids), drawn.truncated)
        seconds = (time.perf_counter() - start) / len(batch)
        for sample, clips in zip(batch, shown, strict=True):
            if isinstance(clips, MediaError):
                yield failed_row(sample, clips, seconds)
            else:
                yield answered_row(sample, clips, *texts[sample.id], seconds)


def answered_row(
    sample: Sample, clips: Sequence[Clip], text: str, truncated: bool, seconds: float
) -> EvalRow:
    """The record of an answered sample."""
    (score,) = REWARDS["accuracy"]([text], sample)
    parts = split_completion(text)
    answered = parts.closed or bool(parts.answer)
    return EvalRow(
        id=sample.id,
        status="ok" if answered else "truncated" if truncated else "unparsed",
        prediction=answer_text(text) if answered else None,
        gold=gold_text(sample),
        correct=None if score is None else score >= 1.0,
        score=score,
        text=text,
        truncated=truncated,
        modalities=modalities(clips),
        frames=sum(len(c.frames) for c in clips if c.frames is not None) or None,
        groups=categories(sample),
        seconds=seconds,
        error=None,
    )


def failed_row(sample: Sample, error: MediaError, seconds: float) -> EvalRow:
    """The record of a sample whose media could not be read; it counts as wrong."""
    return EvalRow(
        id=sample.id,
        status="error",
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


def gold_text(sample: Sample) -> str:
    """The reference answer as a person would say it: an option's text, not its letter."""
    place = "ABCDEFGHIJKLMNOPQRSTUVWXYZ".find(sample.solution)
    return sample.options[place] if 0 <= place < len(sample.options) else sample.solution


def modalities(clips: Sequence[Clip]) -> tuple[str, ...]:
    """What the model was given, of "text", "frames", "sound"."""
    frames = any(clip.frames is not None for clip in clips)
    sound = any(clip.sound is not None for clip in clips)
    return ("text", *(["frames"] if frames else []), *(["sound"] if sound else []))


def categories(sample: Sample) -> dict[str, str]:
    """Breakdown categories of a sample: its family, and its level where it has one."""
    found = {"family": sample.family} if sample.family else {}
    level = sample.extra.get("level")
    return found | ({"level": str(level)} if level is not None else {})
