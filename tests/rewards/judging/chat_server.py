"""A chat-completions server on this machine that does what a test tells it, request by request."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SCORES = {
    "audio_cue_grounding": 1.0,
    "visual_object_identification": 0.5,
    "location_accuracy": 0.25,
    "caption_correctness": 0.25,
}
VERDICT = json.dumps(SCORES)
MEAN = 0.5  # (1 + 0.5 + 0.25 + 0.25) / 4


class Handler(BaseHTTPRequestHandler):
    """One request: recorded, then given to the next behaviour (the last one repeats)."""

    server: ChatServer

    def do_POST(self) -> None:
        self.asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.requests.append((self.path, dict(self.headers), self.asked))
            place = min(len(self.server.requests), len(self.server.behaviours)) - 1
            self.server.busy += 1
            self.server.busiest = max(self.server.busiest, self.server.busy)
        try:
            with contextlib.suppress(ConnectionError):
                self.server.behaviours[place](self)
        finally:
            with self.server.lock:
                self.server.busy -= 1

    def log_message(self, *_: object) -> None:
        """Say nothing."""


Behaviour = Callable[[Handler], None]


class ChatServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, behaviours: Sequence[Behaviour]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.behaviours = behaviours
        self.requests: list[tuple[str, dict[str, str], Any]] = []
        self.lock = threading.Lock()
        self.over = threading.Event()
        self.busy = self.busiest = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def handle_error(self, *_: object) -> None:
        """A client that went away is part of the game."""


@contextlib.contextmanager
def serving(*behaviours: Behaviour) -> Iterator[ChatServer]:
    with ChatServer(behaviours) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            server.shutdown()
            thread.join()


def send(
    handler: Handler, status: int, body: bytes, headers: Mapping[str, str] | None = None
) -> None:
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


def completion(text: object, finish: str = "stop") -> bytes:
    message = {"role": "assistant", "content": text}
    return json.dumps({"choices": [{"message": message, "finish_reason": finish}]}).encode()


def ok(handler: Handler) -> None:
    send(handler, 200, completion(VERDICT))


def says(text: object, finish: str = "stop") -> Behaviour:
    return lambda handler: send(handler, 200, completion(text, finish))


def body(content: bytes) -> Behaviour:
    return lambda handler: send(handler, 200, content)


def status(code: int, **headers: str) -> Behaviour:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler: send(handler, code, b"the key you sent is wrong: canary", named)


def hang(handler: Handler) -> None:
    handler.server.over.wait(30)


def drip_headers(handler: Handler) -> None:
    """A byte of a header every 20 ms, for ever: no wait for a single byte is ever long."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not handler.server.over.is_set():
        handler.wfile.write(b"a")
        handler.wfile.flush()
        time.sleep(0.02)


def truncated(handler: Handler) -> None:
    content = completion(VERDICT)
    send(handler, 200, content[:40], {"Content-Length": str(len(content))})
    handler.close_connection = True


def drop(handler: Handler) -> None:
    handler.close_connection = True
    handler.connection.close()


def slowly(seconds: float) -> Behaviour:
    def behave(handler: Handler) -> None:
        time.sleep(seconds)
        ok(handler)

    return behave
