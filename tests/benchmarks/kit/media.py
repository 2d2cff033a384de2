"""Small real media files for the miniature benchmarks, encoded once in a process."""

from __future__ import annotations

import functools
import io
import tempfile
import wave
from pathlib import Path

import numpy as np
from PIL import Image

from tests.media.clips import numbered_frame, tone, write_clip

SIDE = 56
FPS = 10
SECONDS = 1.0
RATE = 16_000


@functools.cache
def video_bytes(*, sound: bool = True) -> bytes:
    """An MP4 of one second: H.264, 56 × 56 pixels, 10 frames; with an AAC track or none."""
    with tempfile.TemporaryDirectory() as directory:
        path = write_clip(
            Path(directory) / "clip.mp4",
            frames=round(FPS * SECONDS),
            fps=FPS,
            size=(SIDE, SIDE),
            options={"preset": "ultrafast", "threads": "1"},
            sound=tone(SECONDS, rate=RATE) if sound else None,
            sound_rate=RATE,
        )
        return path.read_bytes()


@functools.cache
def image_bytes() -> bytes:
    """A PNG of 56 × 56 pixels."""
    buffer = io.BytesIO()
    Image.fromarray(numbered_frame(1, SIDE, SIDE)).save(buffer, "png")
    return buffer.getvalue()


@functools.cache
def sound_bytes() -> bytes:
    """A WAV of one second: 16 bits, mono, 16 kHz."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((tone(SECONDS, rate=RATE) * 32767).astype(np.int16).tobytes())
    return buffer.getvalue()


def video(path: Path, *, sound: bool = True) -> Path:
    """Write a video, its folders made; the content is MP4 whatever the suffix."""
    return _written(path, video_bytes(sound=sound))


def image(path: Path) -> Path:
    """Write a picture, its folders made; the content is PNG whatever the suffix."""
    return _written(path, image_bytes())


def sound(path: Path) -> Path:
    """Write a sound, its folders made; the content is WAV whatever the suffix."""
    return _written(path, sound_bytes())


def _written(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
