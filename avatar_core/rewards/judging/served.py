"""A model behind an OpenAI-compatible server: concurrent requests, retries, limits on everything.

Requests run in an event loop of their own: it alone can put one deadline on a whole exchange, so
that a server that sends a byte now and then cannot hold up a run.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx

from avatar_core.rewards.judging.backoff import backoff, retry_after, worth_retrying
from avatar_core.rewards.judging.rubric import ChatPrompt
from avatar_core.rewards.judging.rubric_judge import Reply
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


class _Try(NamedTuple):
    """How one request ended: with a text, or with a reason and whether to try again."""

    text: str | None = None
    reason: str = ""
    again: bool = False
    wait: float | None = None
    """Seconds that the server asked to wait."""


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
        # A thread of its own: the caller may run inside an event loop, as notebooks do.
        with ThreadPoolExecutor(max_workers=1) as thread:
            return thread.submit(asyncio.run, self._answer_all(prompts)).result()

    async def _answer_all(self, prompts: Sequence[ChatPrompt]) -> list[Reply]:
        slots = asyncio.Semaphore(self._server.concurrency)
        client = httpx.AsyncClient(
            timeout=self._server.timeout_seconds,
            # The key goes to the address that was given, nowhere else.
            follow_redirects=False,
            # A proxy of the environment cannot reach this machine's own addresses.
            trust_env=urlsplit(self._server.url).hostname not in _LOOPBACK,
        )

        async def one(prompt: ChatPrompt) -> Reply:
            async with slots:
                return await self._answer(client, prompt)

        async with client:
            return list(await asyncio.gather(*(one(prompt) for prompt in prompts)))

    async def _answer(self, client: httpx.AsyncClient, prompt: ChatPrompt) -> Reply:
        limit = self._server.total_seconds
        try:
            return await asyncio.wait_for(self._try_on(client, prompt), limit)
        except asyncio.TimeoutError:
            return Reply(None, f"no reply within {limit:g} s")

    async def _try_on(self, client: httpx.AsyncClient, prompt: ChatPrompt) -> Reply:
        """Ask until a reply comes, the trouble will not pass, or the tries are used up."""
        body = json.dumps(self._payload(prompt)).encode()
        rng = rng_from("judge", self._server.seed, prompt.text)
        tried = 0
        while True:
            outcome = await self._try_once(client, body)
            tried += 1
            if outcome.text is not None or not outcome.again:
                return Reply(outcome.text, outcome.reason)
            if tried == self._server.max_tries:
                return Reply(None, f"{outcome.reason}, {tried} times")
            if outcome.wait is None:
                await self._sleep(backoff(tried, rng))
            elif outcome.wait <= self._server.total_seconds:
                await self._sleep(outcome.wait)
            else:
                wanted = f"and wants to be asked again in {outcome.wait:.0f} s"
                return Reply(None, f"{outcome.reason}, {wanted}")

    async def _try_once(self, client: httpx.AsyncClient, body: bytes) -> _Try:
        limit = self._server.timeout_seconds
        try:
            return await asyncio.wait_for(self._post(client, body), limit)
        except asyncio.TimeoutError:
            return _Try(reason=f"no reply within {limit:g} s", again=True)
        except httpx.TransportError as error:
            return _Try(reason=f"{self._server.url}: {_words(error)}", again=True)

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
                    return _Try(reason=f"a reply larger than {MAX_REPLY_BYTES} bytes")
        return _read(bytes(data))

    def _refused(self, response: httpx.Response) -> _Try:
        """A status other than 200; the body is not repeated, since it may quote the key."""
        status = response.status_code
        name = f"HTTP {status} {_PHRASES.get(status, '')}".strip()
        if 300 <= status < 400:
            return _Try(reason=f"{name}: redirects are not followed; give the final address")
        wait = retry_after(response.headers.get("Retry-After"), self._clock())
        return _Try(reason=f"{self._server.url}: {name}", again=worth_retrying(status), wait=wait)

    def _payload(self, prompt: ChatPrompt) -> dict[str, object]:
        content: object = prompt.text
        if prompt.pictures:
            pictures = [
                {"type": "image_url", "image_url": {"url": picture.data_url}}
                for picture in prompt.pictures
            ]
            content = [*pictures, {"type": "text", "text": prompt.text}]
        return {
            "model": self._server.model,
            "messages": [{"role": "user", "content": content}],
            "temperature": 0.0,
            "max_tokens": self._server.max_new_tokens,
        }


def _read(data: bytes) -> _Try:
    """The text of a chat completion."""
    try:
        text = json.loads(data)["choices"][0]["message"]["content"]
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        return _Try(reason="a reply that is no chat completion")
    return _Try(text) if isinstance(text, str) else _Try(reason="a reply without text")


def _words(error: httpx.TransportError) -> str:
    """An error of the connection in words."""
    return f"{type(error).__name__}{f' ({error})' if str(error) else ''}"
