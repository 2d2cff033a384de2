"""A model behind an OpenAI-compatible server: concurrent requests, retries, limits on everything.

Judges, teachers and evaluations ask through it. Requests run in an event loop of their own: it
alone can put one deadline on a whole exchange, so that a server that sends a byte now and then
cannot hold up a run.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import NamedTuple, TypeAlias
from urllib.parse import urlsplit

import httpx

from avatar_core.rewards.judging.backoff import backoff, retry_after, worth_retrying
from avatar_core.rewards.judging.chat import (
    ChatTurn,
    NoCompletion,
    Reply,
    messages_of,
    read_completion,
)
from avatar_core.rewards.judging.event_loop import event_loop
from avatar_core.rewards.judging.rubric import ChatPrompt
from avatar_core.seeds import rng_from

MAX_REPLY_BYTES = 1 << 20
_PHRASES = {status.value: status.phrase for status in HTTPStatus}
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class Server:
    """Where a model is served and how it is asked.

    Attributes:
        url: base address, without `/chat/completions`.
        model: name that the server knows the model by.
        key: sent as a bearer token; `None` sends none.
        max_new_tokens: length limit of a reply.
        concurrency: requests at the same time.
        timeout_seconds: limit of one try.
        total_seconds: limit of all tries for one prompt with the waits between them.
        max_tries: tries for one prompt.
        seed: of the random part of the waits.
    """

    url: str
    model: str
    key: str | None = field(default=None, repr=False)
    max_new_tokens: int = 512
    concurrency: int = 8
    timeout_seconds: float = 60.0
    total_seconds: float = 120.0
    max_tries: int = 5
    seed: int = 0

    @property
    def behind_proxy(self) -> bool:
        """A proxy of the environment may lead there; it cannot to this machine itself."""
        return urlsplit(self.url).hostname not in _LOOPBACK


class _Try(NamedTuple):
    """How one request ended: with a reply, or with a reason in it and whether to try again."""

    reply: Reply
    again: bool = False
    wait: float | None = None
    """Seconds that the server asked to wait."""


Submit: TypeAlias = Callable[[ChatTurn], "Future[Reply]"]
"""Hands in one turn without waiting for its reply."""


class ServedModel:
    """Answers prompts through chat completions, greedily.

    Attributes:
        identity: model and settings; a model that moves to another address stays the same.
    """

    def __init__(
        self,
        server: Server,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.identity: tuple[str, ...] = (
            "served",
            server.model,
            str(server.max_new_tokens),
        )
        self._server = server
        self._sleep = sleep
        self._clock = clock

    def answer(self, prompts: Sequence[ChatPrompt]) -> list[Reply]:
        """One reply per prompt, in order; what fails is a reply without text."""
        with self.session() as submit:
            waiting = [submit(prompt.turn) for prompt in prompts]
            return [future.result() for future in waiting]

    @contextmanager
    def session(self) -> Iterator[Submit]:
        """Take turns one by one while earlier ones are answered, so many at the same time.

        What fails is a reply without text. Turns that are unanswered at the end of the block are
        given up.
        """
        slots = asyncio.Semaphore(self._server.concurrency)
        client = httpx.AsyncClient(
            timeout=self._server.timeout_seconds,
            # The slots are the limit.
            limits=httpx.Limits(),
            # The key goes to the address that was given, nowhere else.
            follow_redirects=False,
            trust_env=self._server.behind_proxy,
        )

        async def one(turn: ChatTurn) -> Reply:
            async with slots:
                return await self._answer(client, turn)

        with event_loop(client.aclose) as loop:
            yield lambda turn: asyncio.run_coroutine_threadsafe(one(turn), loop)

    async def _answer(self, client: httpx.AsyncClient, turn: ChatTurn) -> Reply:
        limit = self._server.total_seconds
        try:
            return await asyncio.wait_for(self._try_on(client, turn), limit)
        except asyncio.TimeoutError:
            return Reply(None, f"no reply within {limit:g} s")

    async def _try_on(self, client: httpx.AsyncClient, turn: ChatTurn) -> Reply:
        """Ask until a reply comes, the trouble will not pass, or the tries are used up."""
        # In a thread: pictures take long to encode, and other requests go on meanwhile.
        body = await asyncio.to_thread(self._body, turn)
        digest = hashlib.blake2b(body, digest_size=8).hexdigest()
        rng = rng_from("served", self._server.seed, digest)
        tried = 0
        while True:
            reply, again, wait = await self._try_once(client, body)
            tried += 1
            if reply.text is not None or not again:
                return reply
            if tried == self._server.max_tries:
                return Reply(None, f"{reply.reason}, {tried} times")
            if wait is None:
                await self._sleep(backoff(tried, rng))
            elif wait <= self._server.total_seconds:
                await self._sleep(wait)
            else:
                wanted = f"and wants to be asked again in {wait:.0f} s"
                return Reply(None, f"{reply.reason}, {wanted}")

    async def _try_once(self, client: httpx.AsyncClient, body: bytes) -> _Try:
        limit = self._server.timeout_seconds
        try:
            return await asyncio.wait_for(self._post(client, body), limit)
        except asyncio.TimeoutError:
            return _failed(f"no reply within {limit:g} s", again=True)
        except httpx.TransportError as error:
            return _failed(f"{self._server.url}: {_words(error)}", again=True)

    async def _post(self, client: httpx.AsyncClient, body: bytes) -> _Try:
        # Not compressed: a few bytes must not become gigabytes.
        headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        if self._server.key is not None:
            headers["Authorization"] = f"Bearer {self._server.key}"
        url = f"{self._server.url}/chat/completions"
        async with client.stream("POST", url, content=body, headers=headers) as response:
            if response.status_code != HTTPStatus.OK:
                return self._refused(response)
            data = bytearray()
            async for chunk in response.aiter_raw():
                data += chunk
                if len(data) > MAX_REPLY_BYTES:
                    return _failed(f"a reply larger than {MAX_REPLY_BYTES} bytes")
        try:
            return _Try(read_completion(bytes(data)))
        except NoCompletion as error:
            return _failed(str(error))

    def _refused(self, response: httpx.Response) -> _Try:
        """A status other than 200; the body is not repeated, since it may quote the key."""
        status = response.status_code
        name = f"HTTP {status} {_PHRASES.get(status, '')}".strip()
        if 300 <= status < 400:
            return _failed(f"{name}: redirects are not followed; give the final address")
        wait = retry_after(response.headers.get("Retry-After"), self._clock())
        return _failed(f"{self._server.url}: {name}", again=worth_retrying(status), wait=wait)

    def _body(self, turn: ChatTurn) -> bytes:
        request = {
            "model": self._server.model,
            "messages": messages_of(turn),
            "temperature": 0.0,
            "max_tokens": self._server.max_new_tokens,
        }
        return json.dumps(request).encode()


def _failed(reason: str, *, again: bool = False, wait: float | None = None) -> _Try:
    return _Try(Reply(None, reason), again, wait)


def _words(error: httpx.TransportError) -> str:
    """An error of the connection in words."""
    return f"{type(error).__name__}{f' ({error})' if str(error) else ''}"
