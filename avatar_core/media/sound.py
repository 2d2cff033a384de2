"""Sound of a file as 16 kHz mono, placed on the same clock as its frames.

Rule: sample 0 is the first instant of the window; where the track has no sound (it starts late,
ends early or has a gap) there is silence, and what lies outside the window is cut. Channels are
averaged.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from avatar_core.media.streams import sound_stream, time_origin

SAMPLE_RATE = 16000
GAP_SECONDS = 0.010
"""Stamps that deviate less than this from the running position are rounding, not gaps."""
LEAD_SECONDS = 2.0
"""Decoding of a window begins this much earlier, so that decoder and filter have settled."""


class Piece(NamedTuple):
    """Some consecutive samples.

    Attributes:
        time: of the first, in seconds from the start of the file; `None` for right behind the
            piece before.
        samples: float32 [samples].
    """

    time: float | None
    samples: np.ndarray


class Track:
    """The main sound track, decoded packet by packet by whoever reads the container.

    Attributes:
        stream: the packets of this one are the track's.
    """

    def __init__(self, container: InputContainer, stream: AudioStream, end: float | None) -> None:
        """Begin at the container's place.

        Args:
            container: from which packets will come.
            stream: its main sound track.
            end: seconds from the start of the file behind which nothing is wanted; `None` for the
                whole rest.
        """
        stream.codec_context.thread_count = 1
        self.stream = stream
        self._end = end
        self._origin = float(time_origin(container))
        self._resampler = AudioResampler(format="fltp", layout=stream.layout, rate=SAMPLE_RATE)
        self._pieces: list[Piece] = []
        self._reached = -np.inf

    @property
    def is_full(self) -> bool:
        """The end that is wanted has been reached."""
        return self._end is not None and self._reached >= self._end

    def take(self, packet: Packet[Stream] | Packet[VideoStream] | Packet[AudioStream]) -> None:
        """Decode a packet of the stream, unless the track is full."""
        if not self.is_full:
            for frame in packet.decode():
                if isinstance(frame, AudioFrame):
                    self._keep(self._resampler.resample(frame))

    def pieces(self) -> list[Piece]:
        """What was decoded; call it once, after the last packet."""
        self._keep(self._resampler.resample(None))
        return self._pieces

    def _keep(self, frames: Sequence[AudioFrame]) -> None:
        """Average the channels of resampled frames and note where they lie."""
        for frame in frames:
            time = None
            if frame.pts is not None and frame.time_base is not None:
                time = float(frame.pts * frame.time_base) - self._origin
                self._reached = time
            self._reached += frame.samples / SAMPLE_RATE
            channels = frame.to_ndarray()
            self._pieces.append(Piece(time, np.add.reduce(channels) / np.float32(len(channels))))


def is_sought(container: InputContainer, start: float) -> bool:
    """Whether a window from `start` seconds on is reached by a seek, not by decoding up to it."""
    return start > 2 * LEAD_SECONDS and container.format.name.startswith(("mov", "matroska"))


def read_sound(container: InputContainer, start: float, end: float | None) -> np.ndarray | None:
    """Decode the main sound track.

    Args:
        container: freshly opened, or anywhere if the window is sought.
        start: seconds from the start of the file at which sample 0 lies.
        end: seconds at which the sound ends; `None` for the end of the track.

    Returns:
        float32 [samples]; `None` when the track has no sound at all.
    """
    stream = sound_stream(container)
    if stream is None:
        return None
    sought = is_sought(container, start)
    if sought:
        origin = float(time_origin(container))
        container.seek(round((origin + start - LEAD_SECONDS) * 1_000_000))
    track = Track(container, stream, end)
    for packet in container.demux(stream):
        track.take(packet)
        if track.is_full:
            break
    pieces = track.pieces()
    return lay_out(pieces, start, end) if pieces or sought else None


def lay_out(pieces: Sequence[Piece], start: float, end: float | None) -> np.ndarray:
    """One array of a window, silence where there is no piece.

    Pieces lie where their times put them, or behind the one before where rounding differs.

    Args:
        pieces: in their order.
        start: seconds from the start of the file at which sample 0 lies.
        end: seconds at which the window ends; `None` for the end of the last piece.

    Returns:
        float32 [samples].
    """
    placed: list[tuple[int, np.ndarray]] = []
    due: int | None = None
    for time, samples in pieces:
        position = due or 0
        if time is not None:
            stamped = round((time - start) * SAMPLE_RATE)
            if due is None or abs(stamped - due) > GAP_SECONDS * SAMPLE_RATE:
                position = stamped
        due = position + len(samples)
        placed.append((position, samples))
    length = max(0, due or 0) if end is None else max(0, round((end - start) * SAMPLE_RATE))
    sound = np.zeros(length, np.float32)
    for position, samples in placed:
        first, last = max(0, position), min(length, position + len(samples))
        if first < last:
            sound[first:last] = samples[first - position : last - position]
    return sound
