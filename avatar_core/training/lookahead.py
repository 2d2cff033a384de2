"""Looking at the next step's prompts in a thread while the policy works on this one's.

Decoding runs in worker processes already; what is left, tokenizing and feature extraction, takes a
fifth of a step of the embedded model. What a step sees is the same with and without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from avatar_core.asking import Asked, Asker, Failed, look_at
from avatar_core.config.hints import HintPlace
from avatar_core.models.policy import Prepared
from avatar_core.types import Clip, Sample


class Lookahead:
    """At most one batch of prompts under way; left before the media loader is closed."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="lookahead")
        self._ids: list[str] = []
        self._batch: Future[list[Asked | Failed]] | None = None

    def start(self, samples: Sequence[Sample]) -> None:
        """Begin to look at samples that `take` will ask for next."""
        self._ids = [sample.id for sample in samples]
        self._batch = self._thread.submit(look_at, self._asker, samples)

    def take(self, samples: Sequence[Sample]) -> list[Asked | Failed]:
        """What looking at the samples gave: begun before, or done now.

        It is done in the thread, after a batch under way of other samples, since a tokenizer serves
        one thread at a time.
        """
        if self._batch is not None and self._ids == [sample.id for sample in samples]:
            batch, self._batch = self._batch, None
            return batch.result()
        return self._thread.submit(look_at, self._asker, samples).result()

    def hinted(self, sample: Sample, clips: Sequence[Clip], place: HintPlace) -> Prepared:
        """The prompt of a sample with its hint, from clips that were decoded already.

        Hints are not looked ahead: whether one is due is known when its step begins. It is made in
        the thread, after a batch under way, since a tokenizer serves one thread at a time.
        """
        prepare = self._asker.prepare
        return self._thread.submit(prepare, sample, clips, hint=sample.hint, place=place).result()

    def __enter__(self) -> Lookahead:
        return self

    def __exit__(self, *_: object) -> None:
        """Wait for the batch under way and end the thread."""
        self._thread.shutdown(wait=True, cancel_futures=True)
