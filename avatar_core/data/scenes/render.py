"""From the facts of a scene to pixels, to sound and to an mp4 file (H.264 and AAC)."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from avatar_core.data.scenes.world import SLOTS, Scene, Thing, document_hash
from avatar_core.files import write_atomic

RENDERER_VERSION = 1
"""Part of every clip's name; raise it when pixels or samples of an unchanged scene change."""

SIDE = 56
CELL = SIDE // 2
FPS = 4
FRAMES = 8
FRAMES_PER_SLOT = FRAMES // SLOTS
SAMPLE_RATE = 16_000
SECONDS = FRAMES / FPS
HERTZ = {"high": 1760.0, "low": 440.0}
TONE_SECONDS = 0.2
RGB = {
    "red": (230, 30, 30),
    "green": (30, 200, 50),
    "blue": (40, 70, 240),
    "yellow": (240, 220, 30),
}
WHITE = (255, 255, 255)

_RAMP_SECONDS = 0.01


def clip_name(scene: Scene) -> str:
    """File name of a scene's clip: a hash of the renderer's version and all that it draws from."""
    return document_hash({"renderer": RENDERER_VERSION, "scene": scene.spec()}) + ".mp4"


def render_frames(scene: Scene) -> npt.NDArray[np.uint8]:
    """Draw the picture: uint8 RGB [8 frames, 56, 56, 3], two frames a slot."""
    frames = np.full((FRAMES, SIDE, SIDE, 3), float(scene.background), np.float32)
    for thing in scene.things:
        for frame in range(thing.appears * FRAMES_PER_SLOT, FRAMES):
            slot = frame // FRAMES_PER_SLOT
            colour = WHITE if slot == thing.flash else RGB[thing.colour]
            cover = _coverage(thing, frame)[..., None]
            frames[frame] += cover * (np.array(colour, np.float32) - frames[frame])
    return np.rint(frames).astype(np.uint8)


def _coverage(thing: Thing, frame: int) -> npt.NDArray[np.float32]:
    """Share of each pixel that the object covers: float32 [56, 56], edges one pixel soft."""
    centre_x, centre_y = _centre(thing, frame)
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32) + 0.5
    x, y, half = x - centre_x, y - centre_y, thing.size / 2
    if thing.shape == "circle":
        distance = np.hypot(x, y) - half
    elif thing.shape == "square":
        distance = np.maximum(np.abs(x), np.abs(y)) - half
    else:
        # Sides run from the apex (0, -half) to (±half, half): slope 2, normal (2, -1) / √5.
        distance = np.maximum((2 * np.abs(x) - y - half) / np.sqrt(5.0), y - half)
    cover: npt.NDArray[np.float32] = np.clip(0.5 - distance, 0.0, 1.0).astype(np.float32)
    return cover


def _centre(thing: Thing, frame: int) -> tuple[float, float]:
    """Centre in pixels; a moving object rests for two frames at either end of its way."""
    progress = min(max((frame - 1) / (FRAMES - 3), 0.0), 1.0)
    start, end = divmod(thing.cell, 2), divmod(thing.end_cell, 2)
    row, column = (a + (b - a) * progress for a, b in zip(start, end, strict=True))
    return (column + 0.5) * CELL + thing.shift[0], (row + 0.5) * CELL + thing.shift[1]


def render_sound(scene: Scene) -> npt.NDArray[np.float32]:
    """Synthesise the sound: float32 mono [32000] at 16 kHz, sines with 10 ms ramps, else zeros."""
    sound = np.zeros(int(SECONDS * SAMPLE_RATE), np.float32)
    time = np.arange(int(TONE_SECONDS * SAMPLE_RATE)) / SAMPLE_RATE
    envelope = np.clip(np.minimum(time, TONE_SECONDS - time) / _RAMP_SECONDS, 0.0, 1.0)
    for slot, pitch in enumerate(scene.tones):
        if pitch is None:
            continue
        hertz = HERTZ[pitch] * (1 + scene.tuning / 100)
        start = int((slot * SECONDS / SLOTS + scene.delay_ms / 1000) * SAMPLE_RATE)
        tone = scene.loudness / 100 * envelope * np.sin(2 * np.pi * hertz * time)
        sound[start : start + len(time)] = tone
    return sound


def encode_clip(scene: Scene) -> bytes:
    """Render a scene to an mp4 file's bytes; equal scenes give equal bytes on one FFmpeg build."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        video = container.add_stream(
            "libx264",
            rate=FPS,
            options={"preset": "ultrafast", "crf": "10", "g": str(FRAMES), "threads": "1"},
        )
        video.width = video.height = SIDE
        video.pix_fmt = "yuv420p"
        audio = container.add_stream("aac", rate=SAMPLE_RATE, layout="mono")
        audio.bit_rate = 48_000
        for index, pixels in enumerate(render_frames(scene)):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, FPS)
            container.mux(video.encode(frame))
        container.mux(video.encode())
        sound = av.AudioFrame.from_ndarray(render_sound(scene)[None], format="fltp", layout="mono")
        sound.sample_rate, sound.pts, sound.time_base = SAMPLE_RATE, 0, Fraction(1, SAMPLE_RATE)
        container.mux(audio.encode(sound))
        container.mux(audio.encode())
    return buffer.getvalue()


def write_clip(directory: Path, scene: Scene) -> Path:
    """Render a scene to its file unless that exists; no other process ever sees a part of it."""
    path = directory / clip_name(scene)
    if not path.exists():
        write_atomic(path, encode_clip(scene))
    return path
