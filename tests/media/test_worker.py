"""The decoding process over its pipes: one answer per request, clean ends, nothing on stderr."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

import numpy as np
import pytest

from avatar_core.config.media import MediaConfig
from avatar_core.media.decode import decode
from avatar_core.media.wire import Message, clip_from, read_message, write_message
from avatar_core.types import MediaRef
from tests.media.clips import tone, write_clip

Process = subprocess.Popen[bytes]


def pipe_of(stream: IO[bytes] | None) -> BinaryIO:
    """A pipe of the process, which has all three."""
    assert stream is not None
    return cast("BinaryIO", stream)


@pytest.fixture
def process() -> Iterator[Process]:
    """A worker that has said that it is ready."""
    command = [sys.executable, "-m", "avatar_core.media.worker"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) as running:
        try:
            assert answer(running).header == {"status": "ready"}
            yield running
        finally:
            running.kill()


def ask(process: Process, ref: MediaRef, audio: str = "auto", **limits: Any) -> Message:
    request = {
        "ref": asdict(ref),
        "config": MediaConfig(**limits).model_dump(mode="json"),
        "audio": audio,
        "seconds": 60.0,
    }
    write_message(pipe_of(process.stdin), request)
    return answer(process)


def answer(process: Process) -> Message:
    message = read_message(pipe_of(process.stdout))
    assert message is not None
    return message


def test_requests_are_answered_one_by_one_until_the_pipe_closes(
    process: Process, tmp_path: Path
) -> None:
    ref = MediaRef("video", str(write_clip(tmp_path / "clip.mp4", sound=tone(2.0))))
    here = decode(ref, MediaConfig(), "auto")
    there = clip_from(ask(process, ref), ref)
    for one, other in ((here.frames, there.frames), (here.sound, there.sound)):
        assert one is not None and other is not None
        assert np.array_equal(one, other)
    assert (here.times, here.fps, here.content_hash) == (
        there.times,
        there.fps,
        there.content_hash,
    )
    # A file that cannot be read is refused by name and reason, and the next one is served.
    (tmp_path / "bad.mp4").write_bytes(b"no film")
    refusals = [
        (MediaRef("video", str(tmp_path / "bad.mp4")), "auto", "MediaError", "not a media file"),
        (MediaRef("video", str(tmp_path / "gone.mp4")), "auto", "MediaError", "cannot be opened"),
        (MediaRef("video", str(write_clip(tmp_path / "s.mp4"))), "on", "NoSoundError", "no sound"),
    ]
    for wrong, audio, kind, reason in refusals:
        header = ask(process, wrong, audio).header
        assert (header["status"], header["error"]) == ("refused", kind)
        assert reason in header["reason"]
        assert str(tmp_path) not in header["reason"]
    assert ask(process, ref).header["status"] == "clip"
    pipe_of(process.stdin).close()
    assert process.wait(timeout=30) == 0
    assert pipe_of(process.stderr).read() == b""


def test_a_bug_is_its_last_words_without_what_the_file_holds(
    process: Process, tmp_path: Path
) -> None:
    ref = MediaRef("video", str(tmp_path / "secret.mp4"))
    # A request that no loader sends: its configuration is missing.
    write_message(pipe_of(process.stdin), {"ref": asdict(ref), "seconds": 60.0})
    header = answer(process).header
    assert header["status"] == "failed"
    assert "failed inside the decoder (KeyError at worker.py:" in header["reason"]
    assert "secret" not in header["reason"]
    assert process.wait(timeout=30) == 1
