"""The reader: PyAV, decoding in order and checking each frame against the timeline.

Read sparsely, H.264 frames that no other frame is made of are skipped unless they are asked for.
Every other frame then comes out bit by bit as without skipping, in about two thirds of the time.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from avatar_core.errors import MediaError
from avatar_core.media.probe import open_media
from avatar_core.media.streams import picture_stream
from avatar_core.media.timeline import Timeline, timeline_of


class OffTimelineError(MediaError):
    """The decoder shows other frames than the packets announce; decode the timeline instead."""


def av_frames(path: str, timeline: Timeline, indices: Sequence[int]) -> Iterator[np.ndarray]:
    """Yield frames at `indices` (increasing, as presented) as uint8 RGB [height, width, 3].

    Raises:
        OffTimelineError: a frame asked for does not appear at its time.
        MediaError: a frame asked for is damaged.
    """
    with open_media(path) as container:
        yield from _upright(_Cursor(path, container, timeline), indices)


def sparse_frames(
    path: str, container: InputContainer, timeline: Timeline, indices: Sequence[int]
) -> Iterator[np.ndarray]:
    """Yield frames as `av_frames` does, from a container that is open, skipping where it may.

    Args:
        path: of the file.
        container: anywhere.
        timeline: `can_rewind` is true of it.
        indices: increasing positions as presented.

    Raises:
        OffTimelineError: as in `av_frames`, or the picture is interlaced: its frames are pairs
            whose halves may be needed apart.
        MediaError: a frame asked for is damaged.
    """
    container.seek(timeline.stamps[0], stream=_single_threaded(path, container))
    yield from _upright(_Cursor(path, container, timeline, indices), indices)


def can_rewind(timeline: Timeline) -> bool:
    """Whether a seek to the first keyframe leads to the first frame."""
    return timeline.hidden == 0 and timeline.keyframes[:1] == (0,)


def decoded_timeline(path: str) -> Timeline:
    """Timeline of the frames a full decode shows, for files whose packets mislead.

    Raises:
        MediaError: nothing can be decoded, or the file breaks off.
    """
    with open_media(path) as container:
        stream = _single_threaded(path, container)
        stamps = [frame.pts for frame in container.decode(stream)]
        return timeline_of(path, stamps, container, stream)


def upright(frame: VideoFrame, colours: VideoReformatter) -> np.ndarray:
    """The frame as uint8 RGB [height, width, 3], turned as its display matrix says.

    One `colours` serves all frames of a video: its tables cost more than the frames of a small one.
    """
    picture = colours.reformat(frame, format="rgb24", threads=1).to_ndarray()
    return np.rot90(picture, frame.rotation // 90)


def _upright(cursor: _Cursor, indices: Sequence[int]) -> Iterator[np.ndarray]:
    """The frames of a cursor at increasing positions."""
    colours = VideoReformatter()
    for index in indices:
        yield upright(cursor.frame_at(index), colours)


class _Cursor:
    """A decoder that moves forward, over keyframes where that saves decoding.

    Told which frames will be asked for, it skips what they are not made of.
    """

    def __init__(
        self,
        path: str,
        container: InputContainer,
        timeline: Timeline,
        asked: Sequence[int] | None = None,
    ) -> None:
        self._path = path
        self._container = container
        self._timeline = timeline
        self._stream = _single_threaded(path, container)
        # Only in H.264 does a packet say of itself that no other one refers to it at all.
        self._sparse = asked is not None and self._stream.codec_context.name == "h264"
        self._asked = {timeline.stamps[index] for index in asked or ()}
        self._frames = self._decoded()
        self._position = -1

    def frame_at(self, index: int) -> VideoFrame:
        """The frame at a presentation position behind the last one asked for."""
        self._skip_towards(index)
        for frame in self._frames:
            self._position = self._position_of(frame)
            if self._position > index:
                break
            if self._position == index:
                if frame.is_corrupt:
                    raise MediaError(self._path, f"frame {index} is damaged; replace the file")
                return frame
        raise OffTimelineError(self._path, f"frame {index} is missing; replace the file")

    def _skip_towards(self, index: int) -> None:
        """Seek to the last keyframe up to `index` when it lies ahead."""
        keyframes = self._timeline.keyframes
        place = bisect.bisect_right(keyframes, index) - 1
        if place >= 0 and keyframes[place] > self._position + 1:
            # FFmpeg takes the time at which the keyframe is shown, in MP4 too; asked for that at
            # which it is decoded, it would go back to the keyframe before.
            stamp = self._timeline.stamps[keyframes[place]]
            self._container.seek(stamp, stream=self._stream)
            self._frames = self._decoded()

    def _decoded(self) -> Iterator[VideoFrame]:
        """Frames from the container's place on."""
        codec, skipping = self._stream.codec_context, None
        for packet in self._container.demux(self._stream):
            unasked = self._sparse and packet.pts not in self._asked
            skip: Literal["NONREF", "DEFAULT"] = "NONREF" if unasked else "DEFAULT"
            if skip != skipping:
                codec.skip_frame = skipping = skip
            for frame in packet.decode():
                if self._sparse and frame.interlaced_frame:
                    raise OffTimelineError(self._path, "is interlaced; encode it progressively")
                yield frame

    def _position_of(self, frame: VideoFrame) -> int:
        """Presentation position of a frame: by its stamp, or counted where there are none."""
        stamps = self._timeline.stamps
        if not stamps:
            return self._position + 1
        position = len(stamps) if frame.pts is None else bisect.bisect_left(stamps, frame.pts)
        if position == len(stamps) or stamps[position] != frame.pts:
            raise OffTimelineError(
                self._path, "shows a frame it does not announce; replace the file"
            )
        return position


def _single_threaded(path: str, container: InputContainer) -> VideoStream:
    """The picture stream, set to decode in the calling thread only."""
    stream = picture_stream(container)
    if stream is None:
        raise MediaError(path, "has no video stream; read it as audio")
    stream.thread_count = 1
    return stream
