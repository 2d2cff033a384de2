"""Writes small media files whose every frame and sample is known.

Each frame carries its number as eight black or white blocks in its upper half, so that a decoded
frame says which one it is whatever the codec did to it.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

BITS = 8


def numbered_frame(number: int, height: int, width: int) -> np.ndarray:
    """uint8 RGB [height, width, 3]: `number` in binary above, a moving coloured ramp below."""
    frame = np.zeros((height, width, 3), np.uint8)
    for bit in range(BITS):
        left, right = bit * width // BITS, (bit + 1) * width // BITS
        frame[: height // 2, left:right] = 255 * (number >> bit & 1)
    ramp = (np.arange(width) * 255 // width + number * 5) % 256
    frame[height // 2 :, :, 0] = ramp
    frame[height // 2 :, :, 1] = 255 - ramp
    frame[height // 2 :, :, 2] = number * 40 % 256
    return frame


def frame_number(frame: np.ndarray) -> int:
    """The number painted into a frame of any size."""
    height, width = frame.shape[:2]
    row = frame[height // 8 : 3 * height // 8].mean(axis=(0, 2))
    centres = [(2 * bit + 1) * width // (2 * BITS) for bit in range(BITS)]
    return sum(int(row[centre] > 128) << bit for bit, centre in enumerate(centres))


def tone(seconds: float, frequency: float = 440.0, rate: int = 48000) -> np.ndarray:
    """float32 sine of amplitude 0.5."""
    return (0.5 * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)).astype(
        np.float32
    )


def write_clip(
    path: Path,
    *,
    frames: int = 20,
    fps: int = 10,
    size: tuple[int, int] = (56, 56),
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    stamps: Sequence[int] | None = None,
    sound: np.ndarray | None = None,
    sound_rate: int = 48000,
    sound_codec: str = "aac",
    layout: str = "mono",
    rotation: int = 0,
    aspect: Fraction | None = None,
    container_options: dict[str, str] | None = None,
) -> Path:
    """Write numbered frames, and sound when given, to `path`; its suffix names the container.

    Args:
        path: file to write.
        frames: how many; 0 writes sound only.
        fps: frames per second; stamps count in units of 1/fps.
        size: height and width.
        codec: encoder of the picture.
        options: of that encoder.
        stamps: presentation stamp of each frame; `None` for 0, 1, 2…
        sound: float32 samples [samples] or [channels, samples].
        sound_rate: of `sound`, in hertz.
        sound_codec: encoder of the sound.
        layout: channel layout of the sound.
        rotation: of the display matrix, in degrees.
        aspect: of a pixel; `None` for square.
        container_options: of the muxer.
    """
    with av.open(str(path), "w", options=container_options or {}) as container:
        picture = container.add_stream(codec, rate=fps, options=options or {}) if frames else None
        if picture is not None:
            picture.height, picture.width = size
            picture.pix_fmt = "yuv420p"
            picture.codec_context.time_base = Fraction(1, fps)
            picture.codec_context.thread_count = 1
            if aspect is not None:
                picture.codec_context.sample_aspect_ratio = aspect
            if rotation:
                picture.set_display_rotation(rotation)
        track = None
        if sound is not None:
            track = container.add_stream(sound_codec, rate=sound_rate, layout=layout)
        if picture is not None:
            for index in range(frames):
                frame = av.VideoFrame.from_ndarray(numbered_frame(index, *size), format="rgb24")
                frame.pts = index if stamps is None else stamps[index]
                frame.time_base = Fraction(1, fps)
                container.mux(picture.encode(frame))
            container.mux(picture.encode(None))
        if track is not None:
            samples = av.AudioFrame.from_ndarray(
                np.atleast_2d(sound).astype(np.float32), format="fltp", layout=layout
            )
            samples.sample_rate = sound_rate
            samples.pts, samples.time_base = 0, Fraction(1, sound_rate)
            fifo = av.AudioFifo()
            fifo.write(samples)
            while (block := fifo.read(1024, partial=True)) is not None:
                container.mux(track.encode(block))
            container.mux(track.encode(None))
    return path


def write_pictures(
    folder: Path, count: int, *, size: tuple[int, int] = (56, 56), suffix: str = ".png"
) -> Path:
    """Write a folder of pictures named 00001, 00002 and so on, each painted with its number."""
    folder.mkdir()
    for number in range(1, count + 1):
        Image.fromarray(numbered_frame(number, *size)).save(folder / f"{number:05d}{suffix}")
    return folder


def trimmed(source: Path, target: Path, *, first: int, count: int, fps: int) -> Path:
    """Copy an MP4, with an edit list that shows only `count` frames from `first`."""
    data = bytearray(source.read_bytes())
    place = data.index(b"elst") + 4
    _, entries, _, media_time, rate = struct.unpack(">IIIiI", data[place : place + 20])
    assert entries == 1
    # The movie's clock ticks 1000 times a second, the track's as often as its media header says.
    ticks = struct.unpack(">I", data[data.index(b"mdhd") + 16 : data.index(b"mdhd") + 20])[0] // fps
    edit = struct.pack(">IIIiI", 0, 1, count * 1000 // fps, media_time + first * ticks, rate)
    data[place : place + 20] = edit
    target.write_bytes(data)
    return target
