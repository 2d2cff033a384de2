"""From samples to prepared prompts: decode the clips, write the question, run the processor.

Shared by training, evaluation and inference, so that a question reads the same in all three.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from avatar_core.config.hints import HintPlace
from avatar_core.errors import DataError, MediaError
from avatar_core.media import MediaLoader
from avatar_core.models.policy import Policy, Prepared, Prompt
from avatar_core.types import AudioMode, Clip, Content, MediaRef, Sample
from avatar_core.wording import question_text, sample_content, with_hint

Blanked = frozenset[str]
"""Modalities ("frames", "sound") shown as darkness or silence, to measure what they are worth."""


def blank_clip(clip: Clip, blanked: Blanked) -> Clip:
    """A clip with its frames dark or its sound silent, shapes unchanged."""
    frames, sound = clip.frames, clip.sound
    if "frames" in blanked and frames is not None:
        frames = np.zeros_like(frames)
    if "sound" in blanked and sound is not None:
        sound = np.zeros_like(sound)
    return replace(clip, frames=frames, sound=sound)


def modalities(clips: Sequence[Clip]) -> tuple[str, ...]:
    """What a model is given with clips, of "text", "frames", "sound"."""
    frames = any(clip.frames is not None for clip in clips)
    sound = any(clip.sound is not None for clip in clips)
    return ("text", *(["frames"] if frames else []), *(["sound"] if sound else []))


def frame_count(clips: Sequence[Clip]) -> int | None:
    """Frames of clips; `None` without a picture."""
    return sum(len(clip.frames) for clip in clips if clip.frames is not None) or None


class Seen(NamedTuple):
    """A user turn that could be prepared."""

    clips: tuple[Clip, ...]
    """Its media, decoded, in order."""
    prepared: Prepared
    """The prompt."""


class Asker:
    """Turns user turns into prepared prompts for one policy and one set of media settings."""

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

    def prefetch(self, contents: Sequence[Content]) -> None:
        """Start decoding the media of user turns that will be asked soon."""
        self._loader.prefetch(_media(contents), audio=self._audio)

    def clips(self, contents: Sequence[Content]) -> list[tuple[Clip, ...] | MediaError]:
        """Decoded clips of each user turn, or the first error among its files; order kept."""
        decoded = iter(self._loader.load_many(_media(contents), audio=self._audio))
        return [_all_or_error([next(decoded) for _ in _media([turn])]) for turn in contents]

    def look(self, contents: Sequence[Content]) -> list[Seen | MediaError | DataError]:
        """Decode and prepare user turns; one that cannot be is an error in its place."""
        found: list[Seen | MediaError | DataError] = []
        for content, clips in zip(contents, self.clips(contents), strict=True):
            if isinstance(clips, MediaError):
                found.append(clips)
                continue
            try:
                found.append(Seen(clips, self._prepare(self._system, content, clips)))
            except DataError as error:
                found.append(error)
        return found

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
        system, question = self._system, question_text(sample)
        if place == "system":
            system = with_hint(system or "", hint) or None
        else:
            question = with_hint(question, hint)
        return self._prepare(system, (*sample.media, question), clips)

    def _prepare(self, system: str | None, content: Content, clips: Sequence[Clip]) -> Prepared:
        shown = iter(blank_clip(clip, self._blanked) for clip in clips)
        parts = tuple(part if isinstance(part, str) else next(shown) for part in content)
        return self._policy.prepare(Prompt(system, parts))


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


def look_at(asker: Asker, samples: Sequence[Sample]) -> list[Asked | Failed]:
    """Decode the clips of samples and prepare their prompts; a bad sample becomes a record."""
    turns = asker.look([sample_content(sample) for sample in samples])
    return [
        Asked(sample, *seen) if isinstance(seen, Seen) else Failed(sample, seen)
        for sample, seen in zip(samples, turns, strict=True)
    ]


def _media(contents: Sequence[Content]) -> list[MediaRef]:
    return [part for content in contents for part in content if not isinstance(part, str)]


def _all_or_error(results: Sequence[Clip | MediaError]) -> tuple[Clip, ...] | MediaError:
    clips: list[Clip] = []
    for result in results:
        if isinstance(result, MediaError):
            return result
        clips.append(result)
    return tuple(clips)
