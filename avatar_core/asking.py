"""From samples to prepared prompts: decode the clips, write the question, run the processor.

Shared by training, evaluation and inference, so that a question reads the same in all three.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from avatar_core.choices import LETTERS
from avatar_core.config.hints import HintPlace
from avatar_core.errors import MediaError
from avatar_core.media import MediaLoader
from avatar_core.models.policy import Policy, Prepared, Prompt
from avatar_core.types import AudioMode, Clip, MediaRef, Sample

Blanked = frozenset[str]
"""Modalities ("frames", "sound") shown as darkness or silence, to measure what they are worth."""


def question_text(sample: Sample) -> str:
    """The user's text of a sample: question, and lettered options unless it states all."""
    lines = [sample.question]
    if not states_all(sample.question, sample.options):
        lines += [
            f"{letter}. {text}" for letter, text in zip(LETTERS, sample.options, strict=False)
        ]
    return "\n".join(lines)


def with_hint(text: str, hint: str | None) -> str:
    r"""A text with a hint on a line of its own behind it; as it is without a hint.

    >>> with_hint("Which animal?", "Listen first.")
    'Which animal?\nHint: Listen first.'
    """
    return "\n".join(filter(None, (text, f"Hint: {hint}" if hint else None)))


def states_all(question: str, options: Sequence[str]) -> bool:
    """Whether a question names every option as whole words and in their order."""
    text, end = question.casefold(), 0
    for option in options:
        named = re.compile(rf"\b{re.escape(option.casefold())}\b").search(text, end)
        if named is None:
            return False
        end = named.end()
    return True


def blank_clip(clip: Clip, blanked: Blanked) -> Clip:
    """A clip with its frames dark or its sound silent, shapes unchanged."""
    frames, sound = clip.frames, clip.sound
    if "frames" in blanked and frames is not None:
        frames = np.zeros_like(frames)
    if "sound" in blanked and sound is not None:
        sound = np.zeros_like(sound)
    return replace(clip, frames=frames, sound=sound)


class Asker:
    """Turns samples into prepared prompts for one policy and one set of media settings."""

    def __init__(
        self,
        policy: Policy,
        loader: MediaLoader,
        *,
        system_prompt: str | None,
        audio: AudioMode | None = None,
        blanked: Blanked = frozenset(),
    ) -> None:
        self._policy = policy
        self._loader = loader
        self._system = system_prompt or None
        self._audio = audio
        self._blanked = blanked

    def prefetch(self, samples: Sequence[Sample]) -> None:
        """Start decoding the clips of samples that will be asked soon."""
        self._loader.prefetch(_media(samples), audio=self._audio)

    def clips(self, samples: Sequence[Sample]) -> list[tuple[Clip, ...] | MediaError]:
        """Decoded clips of each sample, or the first error among its files; order kept."""
        decoded = iter(self._loader.load_many(_media(samples), audio=self._audio))
        return [_all_or_error([next(decoded) for _ in sample.media]) for sample in samples]

    def prepare(
        self,
        sample: Sample,
        clips: Sequence[Clip],
        *,
        hint: str | None = None,
        place: HintPlace = "user",
    ) -> Prepared:
        """The prepared prompt of a sample from its decoded clips.

        Args:
            sample: the question; its own hint is not looked at.
            clips: its decoded clips.
            hint: shown to the policy; `None` shows none.
            place: the turn that holds the hint. It never gets a message of its own, which chat
                templates put in the place of the system text.
        """
        shown = tuple(blank_clip(clip, self._blanked) for clip in clips)
        system, question = self._system, question_text(sample)
        if place == "system":
            system = with_hint(system or "", hint) or None
        else:
            question = with_hint(question, hint)
        return self._policy.prepare(Prompt(system, (*shown, question)))


def _media(samples: Sequence[Sample]) -> list[MediaRef]:
    return [ref for sample in samples for ref in sample.media]


def _all_or_error(results: Sequence[Clip | MediaError]) -> tuple[Clip, ...] | MediaError:
    clips: list[Clip] = []
    for result in results:
        if isinstance(result, MediaError):
            return result
        clips.append(result)
    return tuple(clips)
