"""Messages between loader and worker: two lengths, a JSON header, raw bytes. Never pickle.

The lengths are an unsigned 32-bit (header) and an unsigned 64-bit (body) number, big endian. The
header of a decoded clip says how the body splits into sound and frames.
"""

from __future__ import annotations

import json
import struct
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from avatar_core.types import Clip, MediaRef

LENGTHS = struct.Struct(">IQ")


class Message(NamedTuple):
    """One message, either way.

    Attributes:
        header: what it says.
        body: sound (float32), then frames (uint8); empty for requests and failures.
    """

    header: dict[str, Any]
    body: bytes | bytearray | memoryview = b""


def write_message(stream: BinaryIO, header: dict[str, Any], *parts: np.ndarray) -> None:
    """Write a header and the bytes of `parts` (C order), and flush."""
    text = json.dumps(header).encode()
    arrays = [np.ascontiguousarray(part) for part in parts]
    stream.write(LENGTHS.pack(len(text), sum(array.nbytes for array in arrays)) + text)
    for array in arrays:
        if array.nbytes:
            stream.write(array.data.cast("B"))
    stream.flush()


def read_message(stream: BinaryIO) -> Message | None:
    """Read one message; `None` when the other side has closed the pipe."""
    lengths = stream.read(LENGTHS.size)
    if len(lengths) < LENGTHS.size:
        return None
    header_length, body_length = LENGTHS.unpack(lengths)
    header = stream.read(header_length)
    body = stream.read(body_length)
    if len(header) < header_length or len(body) < body_length:
        return None
    return Message(json.loads(header), body)


def message_in(content: memoryview) -> Message:
    """The one whole message that `content` is; its body is a view."""
    header_length, _ = LENGTHS.unpack(content[: LENGTHS.size])
    end = LENGTHS.size + header_length
    return Message(json.loads(bytes(content[LENGTHS.size : end])), content[end:])


def write_clip(stream: BinaryIO, clip: Clip) -> None:
    """Write a decoded clip; its reference stays with the side that asked."""
    header = {
        "status": "clip",
        "frames": None if clip.frames is None else list(clip.frames.shape),
        "sound": None if clip.sound is None else len(clip.sound),
        "times": clip.times,
        "fps": clip.fps,
        "sample_rate": clip.sample_rate,
        "reader": clip.reader,
        "content_hash": clip.content_hash,
    }
    write_message(stream, header, *(part for part in (clip.sound, clip.frames) if part is not None))


def clip_from(message: Message, ref: MediaRef) -> Clip:
    """Rebuild the clip of a message; the arrays are views of its body."""
    header = message.header
    frames = sound = None
    offset = 0
    if header["sound"] is not None:
        sound = np.frombuffer(message.body, np.float32, header["sound"])
        offset = sound.nbytes
    if header["frames"] is not None:
        frames = np.frombuffer(message.body, np.uint8, offset=offset).reshape(header["frames"])
    return Clip(
        ref=ref,
        frames=frames,
        times=tuple(header["times"]),
        fps=header["fps"],
        sound=sound,
        sample_rate=header["sample_rate"],
        reader=header["reader"],
        content_hash=header["content_hash"],
    )
