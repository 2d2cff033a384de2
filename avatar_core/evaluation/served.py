"""Answers of a model behind an OpenAI-compatible server, many requests at the same time.

A served answer depends on its own prompt alone, so there are no batches: media are decoded while
earlier tasks are with the server, and a row is finished when its reply has come.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import replace
from typing import NamedTuple, NoReturn, TypeAlias

import httpx

from avatar_core.asking import blank_clip
from avatar_core.config.evaluate import EvalConfig, ServedConfig
from avatar_core.config.media import MediaConfig
from avatar_core.errors import MediaError, ServiceError
from avatar_core.evaluation.answering import Reply, answered_row, failed_row
from avatar_core.evaluation.tasks import Task, media_of
from avatar_core.evaluation_records import EvalRow
from avatar_core.media import MediaLoader
from avatar_core.provenance import new_manifest
from avatar_core.records import Manifest
from avatar_core.rewards.judging import chat
from avatar_core.rewards.judging.opening import server_key
from avatar_core.rewards.judging.pictures import Picture
from avatar_core.rewards.judging.served import ServedModel, Server
from avatar_core.rewards.judging.sounds import Sound
from avatar_core.run_settings import RunSettings
from avatar_core.types import Clip

MAX_NEW_TOKENS = 1024
"""Length limit of an answer when nobody says."""
MAX_FAILURES = 20
"""Tasks that the server leaves without an answer in a row before the evaluation stops."""
WHOLE_TRIES = 2
"""Tries of full length that one task may take."""
WAITS_SECONDS = 120.0
"""Time beside these for short tries and the waits between them."""
AHEAD = 8
"""Tasks whose media are decoded before one of the requests is free for them."""
CONNECT_SECONDS = 5.0
"""How long a connection may take before the first task."""
BEAT_SECONDS = 0.5
"""While no reply comes, whoever watches is told so often."""


def served_settings(served: ServedConfig) -> RunSettings:
    """How a served model is asked when nobody says: no system text, media by their defaults.

    Raises:
        UsageError: the key of the server is not in the environment.
    """
    _key(served)
    return RunSettings(
        checkpoint=served.model,
        media=MediaConfig(),
        system_prompt="",
        max_new_tokens=MAX_NEW_TOKENS,
    )


class ServedAnswerer:
    """A model behind a server; nothing is sent before a task is answered."""

    def __init__(self, served: ServedConfig) -> None:
        """Take the key of the server from the environment.

        Raises:
            UsageError: it is not there.
        """
        self._served = served
        self._key = _key(served)

    def manifest(self, config: EvalConfig) -> Manifest:
        """What an evaluation with it is made with, as far as this side of the server knows."""
        return new_manifest(
            self._served.model, None, seed=config.sample_seed or 0, media=config.media
        )

    def batch_size(self, config: EvalConfig, tasks: Sequence[Task], loader: MediaLoader) -> int:
        """Requests at the same time, as configured."""
        return self._served.concurrency

    def backend(self, config: EvalConfig, loader: MediaLoader) -> ServedBackend:
        """The model as it answers one benchmark; a batch is what is asked at the same time."""
        timeout = self._served.timeout_seconds
        server = Server(
            url=self._served.url,
            model=self._served.model,
            key=self._key,
            max_new_tokens=config.max_new_tokens or MAX_NEW_TOKENS,
            concurrency=config.batch_size or self._served.concurrency,
            timeout_seconds=timeout,
            total_seconds=WHOLE_TRIES * timeout + WAITS_SECONDS,
        )
        return ServedBackend(server, config, loader)


def _key(served: ServedConfig) -> str | None:
    return server_key(served.api_key_env, "--api-key-env")


class Sent(NamedTuple):
    """A task that is with the server."""

    task: Task
    """What is asked."""
    clips: tuple[Clip, ...]
    """Its media."""
    begun: float
    """When its media were first waited for, in seconds of `time.perf_counter`."""


Waiting: TypeAlias = dict["Future[chat.Reply]", Sent]


class ServedBackend:
    """Answers the tasks of one benchmark through a server."""

    window = sys.maxsize
    """All tasks are taken at once."""

    def __init__(self, server: Server, config: EvalConfig, loader: MediaLoader) -> None:
        """Ask a server as a resolved configuration says."""
        self._server = server
        self._model = ServedModel(server)
        self._concurrency = server.concurrency
        self._config = config
        self._loader = loader
        self._requests = 0
        self._in_a_row = 0
        self._reason = ""

    def prefetch(self, tasks: Sequence[Task]) -> None:
        """Start decoding the media of tasks that will be asked soon."""
        for task in tasks:
            if not task.missing:
                self._loader.prefetch(media_of(task.content), audio=self._config.audio)

    def answer(self, tasks: Sequence[Task], owed: Collection[str]) -> Iterator[list[EvalRow]]:
        """Rows of the tasks owed, each when it is finished; no rows while nothing is.

        Raises:
            ServiceError: nobody listens at the server's address; or it left `MAX_FAILURES` tasks in
                a row without an answer, or all there are; their rows came before.
        """
        asked = [task for task in tasks if task.id in owed]
        if asked:
            check_server(self._server)
        waiting: Waiting = {}
        self.prefetch(asked[:AHEAD])
        with self._model.session() as submit:
            for place, task in enumerate(asked):
                self.prefetch(asked[place + AHEAD : place + AHEAD + 1])
                while len(waiting) == self._concurrency:
                    yield from self._finished(waiting)
                begun = time.perf_counter()
                clips = self._clips(task)
                if isinstance(clips, EvalRow):
                    yield [clips]
                else:
                    waiting[submit(self._turn(task, clips))] = Sent(task, clips, begun)
                    self._requests += 1
            while waiting:
                yield from self._finished(waiting)
        if 0 < self._in_a_row == self._requests:
            self._give_up()

    def _clips(self, task: Task) -> tuple[Clip, ...] | EvalRow:
        """The media of a task, or its row when they cannot be had."""
        if task.missing:
            return failed_row(task)
        clips = []
        for found in self._loader.load_many(media_of(task.content), audio=self._config.audio):
            if isinstance(found, MediaError):
                return failed_row(task, found)
            silent = found.sound is None or not found.sound.size
            clips.append(replace(found, sound=None) if silent else found)
        return tuple(clips)

    def _turn(self, task: Task, clips: Sequence[Clip]) -> chat.ChatTurn:
        blanked = frozenset(self._config.blank)
        shown = (blank_clip(clip, blanked) for clip in clips)
        parts: list[chat.Part] = []
        for part in task.content:
            parts += [part] if isinstance(part, str) else parts_of(next(shown))
        return chat.ChatTurn(tuple(parts), self._config.system_prompt or None)

    def _finished(self, waiting: Waiting) -> Iterator[list[EvalRow]]:
        """Wait a moment for replies; rows of those that came, which leave `waiting`."""
        wait(waiting, BEAT_SECONDS, FIRST_COMPLETED)
        rows: list[EvalRow] = []
        for future in [future for future in waiting if future.done()]:
            if self._in_a_row < MAX_FAILURES:
                reply = future.result()
                rows.append(row_of(waiting.pop(future), reply))
                self._in_a_row = self._in_a_row + 1 if reply.text is None else 0
                self._reason = reply.reason
        yield rows
        if self._in_a_row >= MAX_FAILURES:
            self._give_up()

    def _give_up(self) -> NoReturn:
        raise ServiceError(
            f"the server left {self._in_a_row} items in a row unanswered, last because of: "
            f"{self._reason}; mend the server or correct --base-url and --served-model, the same "
            "command goes on from there"
        )


def check_server(server: Server) -> None:
    """Connect to a server once, so that a wrong address is known before any task is tried on it.

    Whatever it replies will do: not every server lists its models, and some are slow to.

    Raises:
        ServiceError: there is no connection.
    """
    try:
        httpx.get(f"{server.url}/models", timeout=CONNECT_SECONDS, trust_env=server.behind_proxy)
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise ServiceError(
            f"{server.url}: no connection ({str(error) or type(error).__name__}); start the server "
            "or correct --base-url"
        ) from error
    except httpx.TransportError:
        return


def parts_of(clip: Clip) -> list[chat.Part]:
    """A clip as a server is shown it: its frames in order, then its sound."""
    pictures = [] if clip.frames is None else [Picture(frame) for frame in clip.frames]
    sounds = [] if clip.sound is None else [Sound(clip.sound, clip.sample_rate)]
    return [*pictures, *sounds]


def row_of(asked: Sent, reply: chat.Reply) -> EvalRow:
    """The record of a task whose request has ended."""
    if reply.text is None:
        return failed_row(asked.task, ServiceError(f"the server gave no answer: {reply.reason}"))
    seconds = time.perf_counter() - asked.begun
    return answered_row(asked.task, asked.clips, Reply(reply.text, reply.truncated), seconds)
