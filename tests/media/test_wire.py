"""Messages of the decoding process: what is written is read, what is cut short is no message."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest

from avatar_core.media.wire import (
    LENGTHS,
    Message,
    clip_from,
    read_message,
    write_clip,
    write_message,
)
from avatar_core.types import Clip, MediaRef

REF = MediaRef("video", "a.mp4", 1.0, 2.0)
FRAMES = np.arange(2 * 4 * 6 * 3, dtype=np.uint8).reshape(2, 4, 6, 3)
SOUND = np.linspace(-1, 1, 5, dtype=np.float32)


def clip(frames: np.ndarray | None, sound: np.ndarray | None) -> Clip:
    return Clip(REF, frames, (0.0, 0.5), 2.0, sound, 16_000, "av", "0f")


def test_the_layout_of_a_message() -> None:
    stream = io.BytesIO()
    write_message(stream, {"a": 1}, np.array([1, 2], np.uint8), np.array([3], np.float32))
    # Header length 8 as 4 bytes, body length 2 + 4 as 8 bytes, big endian; then both as they are.
    expected = struct.pack(">IQ", 8, 6) + b'{"a": 1}' + bytes([1, 2]) + struct.pack("<f", 3)
    assert stream.getvalue() == expected
    assert LENGTHS.size == 12


def test_messages_follow_each_other_until_the_pipe_is_closed() -> None:
    stream = io.BytesIO()
    write_message(stream, {"status": "ready"})
    write_message(stream, {"status": "é"}, np.zeros((0, 3), np.uint8), np.ones(3, np.uint8))
    stream.seek(0)
    assert read_message(stream) == Message({"status": "ready"}, b"")
    assert read_message(stream) == Message({"status": "é"}, b"\1\1\1")
    assert read_message(stream) is None


def test_a_message_cut_short_anywhere_is_none() -> None:
    stream = io.BytesIO()
    write_message(stream, {"status": "clip"}, np.ones(7, np.uint8))
    whole = stream.getvalue()
    for length in range(len(whole)):
        assert read_message(io.BytesIO(whole[:length])) is None
    assert length == LENGTHS.size + len('{"status": "clip"}') + 7 - 1


@pytest.mark.parametrize("frames", [FRAMES, None])
@pytest.mark.parametrize("sound", [SOUND, SOUND[:0], None])
def test_a_clip_arrives_as_it_was_sent(frames: np.ndarray | None, sound: np.ndarray | None) -> None:
    stream = io.BytesIO()
    write_clip(stream, clip(frames, sound))
    stream.seek(0)
    message = read_message(stream)
    assert message is not None and message.header["status"] == "clip"
    got = clip_from(message, REF)
    for one, other, kind in ((got.frames, frames, np.uint8), (got.sound, sound, np.float32)):
        if other is None:
            assert one is None
        else:
            assert one is not None and one.dtype == kind
            assert np.array_equal(one, other)
    assert (got.ref, got.times, got.fps) == (REF, (0.0, 0.5), 2.0)
    assert (got.sample_rate, got.reader, got.content_hash) == (16_000, "av", "0f")


def test_arrays_in_another_order_of_memory_arrive_in_that_of_rows() -> None:
    turned = np.rot90(FRAMES, axes=(1, 2))
    stream = io.BytesIO()
    write_clip(stream, clip(turned, None))
    stream.seek(0)
    message = read_message(stream)
    assert message is not None
    got = clip_from(message, REF).frames
    assert got is not None and got.shape == (2, 6, 4, 3)
    assert np.array_equal(got, turned)
