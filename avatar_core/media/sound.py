"""Sound of a file as 16 kHz mono, placed on the same clock as its frames.

Rule: sample 0 is the first instant of the window; where the track has no sound (it starts late,
ends early or has a gap) there is silence, and what lies outside the window is cut. Channels are
averaged.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.container import InputContainer

from avatar_core.media.streams import sound_stream, time_origin

SAMPLE_RATE = 16000
GAP_SECONDS = 0.010
"""Stamps that deviate less than this from the running position are rounding, not gaps."""
LEAD_SECONDS = 2.0
"""Decoding of a window begins this much earlier, so that decoder and filter have settled."""


def read_sound(container: InputContainer, start: float, end: float | None) -> np.ndarray | None:
    """Decode the main sound track.

    Args:
        container: freshly opened.
        start: seconds from the start of the file at which sample 0 lies.
        end: seconds at which the sound ends; `None` for the end of the track.

    Returns:
        float32 [samples]; `None` when the track has no sound at all.
    """
    stream = sound_stream(container)
    if stream is None:
        return None
    stream.codec_context.thread_count = 1
    resampler = AudioResampler(format="fltp", layout=stream.layout, rate=SAMPLE_RATE)
    origin = float(time_origin(container))
    sought = start > 2 * LEAD_SECONDS and container.format.name.startswith(("mov", "matroska"))
    if sought:
        container.seek(round((origin + start - LEAD_SECONDS) * 1_000_000))
    layout = _Layout(start, end)
    for frame in container.decode(stream):
        layout.place(resampler.resample(frame), origin)
        if layout.is_full:
            break
    layout.place(resampler.resample(None), origin)
    return None if layout.is_empty and not sought else layout.samples()


class _Layout:
    """Resampled pieces laid out from the start of the window."""

    def __init__(self, start: float, end: float | None) -> None:
        self._start = start
        self._wanted = None if end is None else max(0, round((end - start) * SAMPLE_RATE))
        self._pieces: list[tuple[int, np.ndarray]] = []
        self._next: int | None = None

    @property
    def is_empty(self) -> bool:
        """No frame came."""
        return self._next is None

    @property
    def is_full(self) -> bool:
        """The running position has passed the end of the window."""
        return self._wanted is not None and self._next is not None and self._next >= self._wanted

    def place(self, frames: Sequence[AudioFrame], origin: float) -> None:
        """Append frames where their stamps put them, or behind the last if rounding differs."""
        for frame in frames:
            position = self._next or 0
            if frame.pts is not None and frame.time_base is not None:
                time = float(frame.pts * frame.time_base) - origin
                stamped = round((time - self._start) * SAMPLE_RATE)
                if self._next is None or abs(stamped - self._next) > GAP_SECONDS * SAMPLE_RATE:
                    position = stamped
            self._next = position + frame.samples
            if self._next > 0:
                self._pieces.append((position, frame.to_ndarray().mean(axis=0, dtype=np.float32)))

    def samples(self) -> np.ndarray:
        """The window as one array, silence where nothing was placed."""
        length = max(0, self._next or 0) if self._wanted is None else self._wanted
        sound = np.zeros(length, np.float32)
        for position, piece in self._pieces:
            first, last = max(0, position), min(length, position + len(piece))
            if first < last:
                sound[first:last] = piece[first - position : last - position]
        return sound
