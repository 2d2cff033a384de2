"""When each frame of a video is shown: read from packets, or from frames where packets mislead.

Frames that an edit list hides are not on the timeline, as a player does not show them either.
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import NamedTuple

from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from avatar_core.errors import MediaError
from avatar_core.media.sound import Track
from avatar_core.media.streams import time_origin

EVEN_TOLERANCE = 0.0015
"""Seconds a frame of an evenly spaced video may be off; Matroska rounds times to milliseconds."""
BROKEN_OFF_SECONDS = 0.5
"""A file whose packets end this much before its announced end has lost its tail."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """Presentation times of a video's frames.

    Attributes:
        times: seconds from the start of the file, in presentation order; never empty.
        fps: frames per second, as the file states it where the times bear it out, else on average.
        hidden: frames that are stored but not shown.
        stamps: the times in units of the stream's time base; empty when packets carry none, and
            then `times` are counted out at `fps`.
        keyframes: positions at which decoding can begin, increasing; empty where seeking is not to
            be relied on.
    """

    times: tuple[float, ...]
    fps: float
    hidden: int = 0
    stamps: tuple[int, ...] = ()
    keyframes: tuple[int, ...] = ()

    @property
    def end(self) -> float:
        """Time at which the last frame disappears, in seconds from the start of the file."""
        return self.times[-1] + 1 / self.fps

    @property
    def seconds(self) -> float:
        """From the first frame to the end of the last."""
        return self.end - self.times[0]

    @property
    def is_even(self) -> bool:
        """Frames follow each other at `fps`, within the rounding of containers."""
        return _is_even(self.times, self.fps)

    @property
    def starts_at_zero(self) -> bool:
        """The first frame is shown at the start of the file."""
        return abs(self.times[0]) <= EVEN_TOLERANCE


def scan_timeline(
    path: str, container: InputContainer, stream: VideoStream, track: Track | None = None
) -> Timeline:
    """Timeline from the packets of `stream`, without decoding; reads the container to its end.

    Args:
        path: of the file.
        container: freshly opened.
        stream: its picture.
        track: its sound, decoded on the way.

    Raises:
        MediaError: the file ends before what it announces, or has no frames.
    """
    indexed, announced = len(stream.index_entries), _announced_end(container, stream)
    entries: list[_Entry] = []
    hidden, end = 0, 0.0
    heard = () if track is None else (track.stream,)
    for packet in container.demux() if announced else container.demux(stream, *heard):
        if track is not None and packet.stream_index == track.stream.index:
            track.take(packet)
        if packet.size == 0:
            continue
        end = max(end, _packet_end(packet))
        if packet.stream_index != stream.index:
            continue
        if packet.is_corrupt:
            raise MediaError(path, "ends in the middle of a frame; copy the whole file")
        if packet.is_discard:
            hidden += 1
        else:
            entries.append(_Entry(packet.pts, packet.is_keyframe))
    if indexed > len(entries) + hidden or announced > end + BROKEN_OFF_SECONDS:
        raise MediaError(path, "ends before the frames it announces; copy the whole file")
    hidden = max(hidden, stream.frames - len(entries))
    timeline = timeline_of(path, [entry.pts for entry in entries], container, stream)
    return replace(timeline, hidden=hidden, keyframes=_keyframes(entries, timeline, container))


def timeline_of(
    path: str, stamps: Sequence[int | None], container: InputContainer, stream: VideoStream
) -> Timeline:
    """Timeline of frames stamped in units of the stream's time base, in any order.

    Raises:
        MediaError: there are no frames, or neither stamps nor a frame rate.
    """
    if not stamps:
        raise MediaError(path, "has no frames; replace the file")
    stated = float(stream.average_rate or stream.guessed_rate or 0)
    known = sorted(stamp for stamp in stamps if stamp is not None)
    if len(known) == len(stamps) and len(set(known)) == len(known):
        unit, origin = stream.time_base or Fraction(1, 1000), time_origin(container)
        times = tuple(float(stamp * unit - origin) for stamp in known)
        if stated > 0 and _is_even(times, stated):
            return Timeline(times, stated, stamps=tuple(known))
        if len(times) > 1:
            measured = (len(times) - 1) / (times[-1] - times[0])
            return Timeline(times, measured, stamps=tuple(known))
    if stated <= 0:
        raise MediaError(
            path, "does not say how fast its frames follow each other; encode it again"
        )
    return Timeline(tuple(index / stated for index in range(len(stamps))), stated)


class _Entry(NamedTuple):
    """What a packet says of its frame."""

    pts: int | None
    is_keyframe: bool


def _keyframes(
    entries: Sequence[_Entry], timeline: Timeline, container: InputContainer
) -> tuple[int, ...]:
    """Places to seek to, for containers with an index."""
    if not timeline.stamps or not container.format.name.startswith(("mov", "matroska")):
        return ()
    keys = [entry.pts for entry in entries if entry.is_keyframe and entry.pts is not None]
    return tuple(bisect.bisect_left(timeline.stamps, key) for key in sorted(keys))


def _announced_end(container: InputContainer, stream: VideoStream) -> float:
    """Seconds at which the header says the file ends; 0 for formats whose header does not tell."""
    if container.format.name.startswith("matroska"):
        return float(Fraction(container.duration or 0, 1_000_000))
    if container.format.name == "avi":
        return float(stream.frames / (stream.average_rate or 1))
    return 0.0


def _packet_end(packet: Packet[Stream] | Packet[VideoStream]) -> float:
    """Seconds at which a packet's content ends."""
    stamp = packet.dts if packet.pts is None else packet.pts
    return 0.0 if stamp is None else float((stamp + (packet.duration or 0)) * packet.time_base)


def _is_even(times: Sequence[float], fps: float) -> bool:
    """Frames follow each other at `fps`, within the rounding of containers."""
    return all(
        abs(time - times[0] - index / fps) <= EVEN_TOLERANCE for index, time in enumerate(times)
    )
