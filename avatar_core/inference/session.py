"""A model that has been shown some files and answers questions about them, one after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from typing import NamedTuple

import torch

from avatar_core.asking import frame_count, modalities
from avatar_core.config.inference import InferConfig
from avatar_core.inference.answer import Answer, Given, Vote, count_votes, majority
from avatar_core.inference.drawing import Drawn, draw_texts, greedy_pieces
from avatar_core.inference.files import Files, check_question
from avatar_core.inference.shared_prefix import encode_after
from avatar_core.models.loading import load_policy
from avatar_core.models.policy import Encoded, Policy, Prepared, Prompt
from avatar_core.rewards.answer import split_completion
from avatar_core.run_settings import RunSettings
from avatar_core.types import Clip


class Turn(NamedTuple):
    """A question that is being answered."""

    given: Given
    """What the model was given."""
    pieces: Generator[str, None, Answer]
    """The text as it is made, returning the answer; several samples give a single piece."""


class Shown(NamedTuple):
    """A prompt as the model last read it."""

    prepared: Prepared
    encoded: Encoded


def finish(pieces: Generator[str, None, Answer], take: Callable[[str], None]) -> Answer:
    """Hand every piece of a streamed answer to `take`, then give the answer."""
    while True:
        try:
            take(next(pieces))
        except StopIteration as end:
            answer: Answer = end.value
            return answer


class Session:
    """Files that were decoded once, and the model that is asked about them.

    The towers run for the first question alone.
    """

    def __init__(
        self,
        policy: Policy,
        clips: tuple[Clip, ...],
        config: InferConfig,
        settings: RunSettings,
        *,
        reading_seconds: float = 0.0,
    ) -> None:
        """Ask `policy` about `clips`.

        Args:
            policy: the model.
            clips: decoded files, in prompt order.
            config: how to ask; its own question is not looked at.
            settings: how the model was trained to be asked.
            reading_seconds: wall time of decoding, which counts with the first question.
        """
        self._policy = policy
        self._clips = clips
        self._config = config
        self._limit = config.max_new_tokens or settings.max_new_tokens
        system = config.system_prompt
        self._system = (settings.system_prompt if system is None else system) or None
        self._reading_seconds = reading_seconds
        self._shown: Shown | None = None

    @classmethod
    def open(cls, files: Files) -> Session:
        """Wait for the files, then load the model.

        Raises:
            MediaError: a file cannot be read as asked.
            UsageError: the model cannot be found.
        """
        clips = files.clips()
        seconds = time.perf_counter() - files.began
        policy = load_policy(files.settings.checkpoint)
        return cls(policy, clips, files.config, files.settings, reading_seconds=seconds)

    def ask(self, question: str) -> Turn:
        """Begin to answer a question about the files.

        Raises:
            UsageError: the question is empty or no text in UTF-8.
            DataError: it holds control tokens of the model, or the files cannot be in one prompt.
        """
        check_question(question)
        start = time.perf_counter() - self._reading_seconds
        self._reading_seconds = 0.0
        prepared = self._policy.prepare(Prompt(self._system, (*self._clips, question)))
        given = given_of(self._clips, prepared)
        return Turn(given, self._answer(prepared, given, start))

    def _answer(
        self, prepared: Prepared, given: Given, start: float
    ) -> Generator[str, None, Answer]:
        """The text of an answer piece by piece; see `Turn.pieces`."""
        encoded = self._encode(prepared)
        votes: tuple[Vote, ...] = ()
        if self._config.samples > 1:
            drawn = draw_texts(self._policy, encoded, self._limit, self._config)
            answers = [split_completion(one.text).answer for one in drawn]
            votes = count_votes(answers)
            final = drawn[majority(answers)]
            yield final.text
        else:
            final = yield from greedy_pieces(self._policy, encoded, self._limit)
        return answer_of(final, given, votes, time.perf_counter() - start)

    @torch.no_grad()
    def _encode(self, prepared: Prepared) -> Encoded:
        """The encoded prompt; what it shares with the question before is not computed again."""
        if self._shown is None:
            encoded = self._policy.encode([prepared])
        else:
            encoded = encode_after(self._policy, prepared, *self._shown)
        self._shown = Shown(prepared, encoded)
        return encoded


def given_of(clips: tuple[Clip, ...], prepared: Prepared) -> Given:
    """What a model is given with a prompt."""
    sounds = [len(clip.sound) / clip.sample_rate for clip in clips if clip.sound is not None]
    return Given(
        modalities(clips),
        frame_count(clips),
        sum(sounds) if sounds else None,
        len(prepared.input_ids),
    )


def answer_of(final: Drawn, given: Given, votes: tuple[Vote, ...], seconds: float) -> Answer:
    """An answer from its whole text."""
    parts = split_completion(final.text)
    return Answer(
        answer=parts.answer,
        reasoning=parts.reasoning,
        text=final.text,
        modalities=given.modalities,
        frames=given.frames,
        sound_seconds=given.sound_seconds,
        prompt_tokens=given.prompt_tokens,
        seconds=seconds,
        truncated=final.truncated,
        votes=votes,
    )
