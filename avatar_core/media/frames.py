"""Frames of a video at planned positions in presentation order.

Frames are turned as the file's display matrix says (as decord and players do) and not stretched for
pixels that are not square. A frame that is missing or damaged is an error; none is repeated or
replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeVar

import numpy as np

from avatar_core.config.media import MediaConfig
from avatar_core.errors import MediaError
from avatar_core.media.av_reader import OffTimelineError, av_frames, decoded_timeline
from avatar_core.media.decord_reader import decord_frames
from avatar_core.media.plan import (
    FramePlan,
    FrameSize,
    frame_window,
    plan_frames,
    timed_window,
    video_size,
)
from avatar_core.media.probe import Probe
from avatar_core.media.resize import Resizer
from avatar_core.media.timeline import Timeline
from avatar_core.types import MediaRef, VideoReader

FrameReader = Callable[[str, Timeline, Sequence[int]], Iterator[np.ndarray]]
"""Yields frames of a path at increasing positions as uint8 RGB [height, width, 3]."""
Result = TypeVar("Result")

DECORD_PIXELS = 1280 * 720
"""Largest picture left to decord: it holds many frames at once, 2.6 GiB of them at 3840 x 2160."""


class VideoFrames(NamedTuple):
    """Frames of a clip.

    Attributes:
        pixels: uint8 RGB [frames, height, width, 3].
        times: presentation time of each, in seconds from the start of the file.
        fps: frames per second of the sampled frames.
        end: time at which the last frame of the file disappears.
        reader: library that decoded them.
    """

    pixels: np.ndarray
    times: tuple[float, ...]
    fps: float
    end: float
    reader: str


def choose_reader(facts: Probe, timeline: Timeline, config: MediaConfig) -> VideoReader:
    """The library that reads a video: "decord" where it is exact (or asked for), else "av".

    decord misplaces frames where presentation and storage differ, so unasked it gets only 8-bit
    H.264 in MP4 with evenly spaced frames from time zero, none of them hidden by an edit list.
    """
    if config.reader != "auto":
        return config.reader
    exact = (
        facts.codec == "h264"
        and facts.container.startswith("mov,mp4")
        and facts.pixel_format in ("yuv420p", "yuvj420p")
        and facts.square_pixels
        and facts.width * facts.height <= DECORD_PIXELS
        and bool(timeline.stamps)
        and timeline.hidden == 0
        and timeline.starts_at_zero
        and timeline.is_even
    )
    return "decord" if exact else "av"


def plan_video(timeline: Timeline, ref: MediaRef, config: MediaConfig) -> FramePlan:
    """Frames to read from a video in the window of `ref`.

    Evenly spaced frames are counted out as the model family does; others are looked up by time.

    Raises:
        MediaError: the window holds fewer than two frames.
    """
    fps = timeline.fps
    try:
        if timeline.is_even and timeline.starts_at_zero:
            window = frame_window(len(timeline.times), fps, ref.start, ref.end)
        else:
            window = timed_window(timeline.times, ref.start, ref.end)
        return plan_frames(window, fps, config)
    except ValueError as error:
        raise MediaError(ref.path, str(error)) from error


def read_frames(
    ref: MediaRef, facts: Probe, timeline: Timeline, config: MediaConfig, resize: Resizer
) -> VideoFrames:
    """Read the planned frames of a video.

    Raises:
        MediaError: a frame is missing or damaged, or the window is too short.
    """

    def planned(read: FrameReader, reader: str, shown: Timeline) -> VideoFrames:
        return planned_frames(read, reader, shown, ref, config, resize)

    return by_best_reader(ref.path, facts, timeline, config, planned)


def by_best_reader(
    path: str,
    facts: Probe,
    timeline: Timeline,
    config: MediaConfig,
    use: Callable[[FrameReader, str, Timeline], Result],
) -> Result:
    """Have frames read by the library of `choose_reader`, and by "av" where decord fails.

    Args:
        path: of the video.
        facts: what it is.
        timeline: its frames as the packets announce them.
        config: which library is asked for.
        use: reads with a reader, told its name and the timeline; where the packets mislead it is
            called again with the timeline of a full decode.

    Raises:
        MediaError: what `use` raises.
    """
    if choose_reader(facts, timeline, config) == "decord":
        try:
            return use(decord_frames, "decord", timeline)
        except MediaError:
            if config.reader == "decord":
                raise
    try:
        return use(av_frames, "av", timeline)
    except OffTimelineError:
        return use(av_frames, "av", decoded_timeline(path))


def planned_frames(
    read: FrameReader,
    reader: str,
    timeline: Timeline,
    ref: MediaRef,
    config: MediaConfig,
    resize: Resizer,
) -> VideoFrames:
    """Plan frames on a timeline, read them and bring them to size one by one."""
    plan = plan_video(timeline, ref, config)
    pictures: list[np.ndarray] = []
    for frame in read(ref.path, timeline, plan.indices):
        size = _size(frame, len(plan.indices), ref, config)
        pictures.append(resize(frame, size))
    times = tuple(timeline.times[index] for index in plan.indices)
    return VideoFrames(np.stack(pictures), times, plan.fps, timeline.end, reader)


def _size(frame: np.ndarray, count: int, ref: MediaRef, config: MediaConfig) -> FrameSize:
    """Size that a frame of the video is brought to."""
    try:
        return video_size(frame.shape[0], frame.shape[1], count, config)
    except ValueError as error:
        raise MediaError(ref.path, str(error)) from error
