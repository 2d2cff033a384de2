"""The decoding process: `python -m avatar_core.media.worker`, requests on stdin, clips on stdout.

It ends when stdin closes. Native libraries write to stderr and, at their worst moments, to stdout,
so the answers go to a private copy of stdout and both are pointed at nothing. A timer of the kernel
ends a request that outlives its deadline even when the parent has died and a library holds the
interpreter.
"""

from __future__ import annotations

import contextlib
import functools
import os
import resource
import signal
import sys
import traceback
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import av

from avatar_core.config.media import MediaConfig
from avatar_core.errors import MediaError
from avatar_core.media.decode import decode
from avatar_core.media.wire import read_message, write_clip, write_message
from avatar_core.types import MediaRef

HEADROOM_BYTES = 4 << 30
"""Address space a request may take beyond what the libraries occupy."""
ORPHAN_SECONDS = 180.0
"""How long after its deadline a worker without a parent ends; a parent kills at the deadline."""


def main() -> None:
    """Serve requests until stdin closes."""
    requests, answers = sys.stdin.buffer, _private_stdout()
    av.logging.set_level(av.logging.PANIC)
    _cap_memory()
    sys.excepthook = functools.partial(_report_bug, answers)
    write_message(answers, {"status": "ready"})
    while (message := read_message(requests)) is not None:
        signal.setitimer(signal.ITIMER_REAL, message.header["seconds"] + ORPHAN_SECONDS)
        _serve(message.header, answers)
        signal.setitimer(signal.ITIMER_REAL, 0)


def _serve(request: dict[str, Any], answers: BinaryIO) -> None:
    """Answer one request with a clip or with the reason why there is none."""
    ref = MediaRef(**request["ref"])
    config = MediaConfig.model_validate(request["config"])
    try:
        clip = decode(ref, config, request["audio"])
    except MediaError as error:
        _refuse(answers, type(error).__name__, error.reason)
    except MemoryError:
        _refuse(answers, "MediaError", "needs more memory than a decoder may take; reduce it")
    except (OSError, ValueError, RuntimeError) as error:
        # The text of these may quote bytes of the file; their type does not.
        _refuse(answers, "MediaError", f"cannot be decoded ({type(error).__name__}); replace it")
    else:
        write_clip(answers, clip)


def _refuse(answers: BinaryIO, error: str, reason: str) -> None:
    """Answer with the name of a `MediaError` type and its reason."""
    write_message(answers, {"status": "refused", "error": error, "reason": reason})


def _report_bug(
    answers: BinaryIO, kind: type[BaseException], _: BaseException, trace: TracebackType | None
) -> None:
    """Last words of a process that ends by a bug: the exception's type and place, not its text."""
    place = traceback.extract_tb(trace)[-1]
    where = f"{kind.__name__} at {Path(place.filename).name}:{place.lineno}"
    reason = f"failed inside the decoder ({where}); please report it"
    write_message(answers, {"status": "failed", "error": "MediaError", "reason": reason})


def _private_stdout() -> BinaryIO:
    """A copy of stdout for answers; descriptors 1 and 2 lead nowhere from now on."""
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    return answers


def _cap_memory() -> None:
    """Limit the address space to `HEADROOM_BYTES` above its size now, where that is known.

    The hard limit stays as it is.
    """
    with contextlib.suppress(FileNotFoundError), open("/proc/self/statm", encoding="ascii") as file:
        limit = int(file.read().split()[0]) * resource.getpagesize() + HEADROOM_BYTES
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        if hard != resource.RLIM_INFINITY:
            limit = min(limit, hard)
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


if __name__ == "__main__":
    main()
