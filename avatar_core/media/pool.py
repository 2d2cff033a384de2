"""Worker processes under a deadline: one that hangs is killed, one that crashes is replaced.

A decoder may spin with the interpreter locked or take the process down, so no file is ever decoded
in the process that trains. Each worker serves one request at a time and is renewed after
`RECYCLE_AFTER` of them.
"""

from __future__ import annotations

import json
import os
import queue
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, BinaryIO, cast

from avatar_core.errors import MediaError, MediaTimeout, NoSoundError
from avatar_core.media.wire import LENGTHS, Message, write_message

WORKER_COMMAND = (sys.executable, "-m", "avatar_core.media.worker")
PACKAGE_ROOT = Path(__file__).resolve().parents[2]
RECYCLE_AFTER = 2000
"""Requests after which a worker is replaced, whatever a native decoder leaks.

Over so many files of six codecs, a third of them broken, one grows from 162 MB, after the first
hundred, to 176 MB.
"""
START_SECONDS = 120.0
"""Time for a worker to start, beside a deadline."""
CRASH_SECONDS = 0.5
"""Time for the status of a crashed process to become known."""
KEPT_VARIABLES = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "LD_LIBRARY_PATH",
    "PYTHONPATH",
    "PYTHONHOME",
)
"""A decoder of untrusted files sees no keys or tokens of its parent."""


class WorkerPool:
    """A fixed number of workers, each started when first needed; safe to share between threads."""

    def __init__(self, size: int) -> None:
        self._workers = tuple(Worker() for _ in range(size))
        # Last in, first out: a pool that is mostly idle keeps to few processes.
        self._idle: queue.LifoQueue[Worker] = queue.LifoQueue()
        for worker in self._workers:
            self._idle.put(worker)

    def ask(self, request: dict[str, Any], path: str, seconds: float) -> Message:
        """Have the next free worker serve a request, see `Worker.ask`."""
        worker = self._idle.get()
        try:
            return worker.ask(request, path, seconds)
        finally:
            self._idle.put(worker)

    def interrupt(self) -> None:
        """End all processes at once; requests under way fail."""
        for worker in self._workers:
            worker.interrupt()

    def close(self) -> None:
        """End all processes; no request may be under way."""
        for worker in self._workers:
            worker.stop()


class Worker:
    """One decoding process."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._served = 0

    def ask(self, request: dict[str, Any], path: str, seconds: float) -> Message:
        """Send a request and wait at most `seconds` for its clip.

        Raises:
            MediaTimeout: the deadline passed; the process is killed.
            MediaError: the file was refused, or the process crashed on it.
        """
        process = self._running(path)
        try:
            answer = _exchange(process, request | {"seconds": seconds}, seconds)
        except TimeoutError:
            self.stop()
            raise MediaTimeout(
                path, f"took longer than {seconds:g} s to decode; cut it or raise deadline_seconds"
            ) from None
        except (EOFError, BrokenPipeError):
            cause = self.stop(CRASH_SECONDS)
            raise MediaError(path, f"made the decoder crash ({cause}); replace the file") from None
        self._served += 1
        if answer.header["status"] == "failed" or self._served >= RECYCLE_AFTER:
            self.stop()
        if answer.header["status"] != "clip":
            kind = NoSoundError if answer.header["error"] == "NoSoundError" else MediaError
            raise kind(path, answer.header["reason"])
        return answer

    @property
    def pid(self) -> int | None:
        """Process id; `None` while none runs."""
        return None if self._process is None else self._process.pid

    def interrupt(self) -> None:
        """Kill the process from another thread; the one that waits for it sees a crash."""
        process = self._process
        if process is not None:
            process.kill()

    def stop(self, patience: float = 0.0) -> str:
        """End the process, after `patience` seconds to end by itself, and say how it ended."""
        process, self._process, self._served = self._process, None, 0
        if process is None:
            return "not running"
        try:
            code = process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        return f"exit status {code}" if code >= 0 else signal.Signals(-code).name

    def _running(self, path: str) -> subprocess.Popen[bytes]:
        """The process, started anew when there is none or it died while idle."""
        if self._process is not None and self._process.poll() is not None:
            self.stop()
        if self._process is None:
            self._process = _started()
            try:
                _receive(self._process, time.monotonic() + START_SECONDS)
            except (EOFError, TimeoutError):
                cause = self.stop(CRASH_SECONDS)
                raise MediaError(
                    path,
                    f"cannot be decoded as no decoder starts ({cause}); "
                    "run python -m avatar_core.media.worker to see why",
                ) from None
        return self._process


def _started() -> subprocess.Popen[bytes]:
    """A new worker process, in a session of its own so that Ctrl-C reaches only the parent."""
    environment = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    return subprocess.Popen(  # noqa: S603 - this project's own module, no user input
        WORKER_COMMAND,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        cwd=PACKAGE_ROOT,
        env=environment | {"OMP_NUM_THREADS": "1"},
        start_new_session=True,
    )


def _exchange(process: subprocess.Popen[bytes], request: dict[str, Any], seconds: float) -> Message:
    """Send a request and receive its answer."""
    deadline = time.monotonic() + seconds
    write_message(cast("BinaryIO", process.stdin), request)
    return _receive(process, deadline)


def _receive(process: subprocess.Popen[bytes], deadline: float) -> Message:
    """Read one message before a moment of the monotonic clock.

    Raises:
        TimeoutError: the moment passed.
        EOFError: the process closed its end.
    """
    descriptor = cast("BinaryIO", process.stdout).fileno()
    header, body = LENGTHS.unpack(_read(descriptor, LENGTHS.size, deadline))
    return Message(
        json.loads(_read(descriptor, header, deadline)), _read(descriptor, body, deadline)
    )


def _read(descriptor: int, length: int, deadline: float) -> bytearray:
    """Read exactly `length` bytes from a pipe, see `_receive`."""
    data = bytearray(length)
    view = memoryview(data)
    waiter = select.poll()
    waiter.register(descriptor, select.POLLIN)
    while view:
        if not waiter.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise TimeoutError
        count = os.readv(descriptor, [view])
        if count == 0:
            raise EOFError
        view = view[count:]
    return data
