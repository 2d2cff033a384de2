"""Frames of a video at planned positions in presentation order.

Frames are turned as the file's display matrix says (as decord and players do) and not stretched for
pixels that are not square. A frame that is missing or damaged is an error; none is repeated or
replaced.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from av.container import InputContainer

from avatar_core.config.media import MediaConfig
from avatar_core.errors import MediaError
from avatar_core.media.av_reader import (
    OffTimelineError,
    av_frames,
    can_rewind,
    decoded_timeline,
    sparse_frames,
)
from avatar_core.media.decord_reader import decord_frames
from avatar_core.media.plan import (
    FramePlan,
    FrameSize,
    frame_window,
    plan_frames,
    timed_window,
    video_size,
)
from avatar_core.media.resize import resize_frame
from avatar_core.media.timeline import Timeline
from avatar_core.types import MediaRef

FrameReader = Callable[[str, Timeline, Sequence[int]], Iterator[np.ndarray]]
"""Yields frames of a path at increasing positions as uint8 RGB [height, width, 3]."""
Result = TypeVar("Result")


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
    ref: MediaRef,
    container: InputContainer,
    timeline: Timeline,
    config: MediaConfig,
) -> VideoFrames:
    """Read the planned frames of a video.

    Raises:
        MediaError: a frame is missing or damaged, or the window is too short.
    """

    def planned(read: FrameReader, reader: str, shown: Timeline) -> VideoFrames:
        return planned_frames(read, reader, shown, ref, config)

    return by_best_reader(ref.path, container, timeline, config, planned)


def by_best_reader(
    path: str,
    container: InputContainer,
    timeline: Timeline,
    config: MediaConfig,
    use: Callable[[FrameReader, str, Timeline], Result],
) -> Result:
    """Have frames read by decord when it is asked for, else by PyAV in the quickest exact way.

    PyAV reads sparsely where the container can be rewound, else from a second open of the file;
    where the packets mislead, a full decode gives the timeline.

    Args:
        path: of the video.
        container: the same, open and anywhere.
        timeline: its frames as the packets announce them.
        config: which library is asked for.
        use: reads with a reader, told its name and the timeline; called again when that fails.

    Raises:
        MediaError: what `use` raises.
    """
    if config.reader == "decord":
        return use(decord_frames, "decord", timeline)

    def sparsely(path: str, shown: Timeline, indices: Sequence[int]) -> Iterator[np.ndarray]:
        return sparse_frames(path, container, shown, indices)

    for read in (sparsely, av_frames) if can_rewind(timeline) else (av_frames,):
        with contextlib.suppress(OffTimelineError):
            return use(read, "av", timeline)
    return use(av_frames, "av", decoded_timeline(path))


def planned_frames(
    read: FrameReader,
    reader: str,
    timeline: Timeline,
    ref: MediaRef,
    config: MediaConfig,
) -> VideoFrames:
    """Plan frames on a timeline, read them and bring them to size one by one."""
    plan = plan_video(timeline, ref, config)
    pictures: list[np.ndarray] = []
    for frame in read(ref.path, timeline, plan.indices):
        size = _size(frame, len(plan.indices), ref, config)
        pictures.append(resize_frame(frame, size))
    times = tuple(timeline.times[index] for index in plan.indices)
    return VideoFrames(np.stack(pictures), times, plan.fps, timeline.end, reader)


def _size(frame: np.ndarray, count: int, ref: MediaRef, config: MediaConfig) -> FrameSize:
    """Size that a frame of the video is brought to."""
    try:
        return video_size(frame.shape[0], frame.shape[1], count, config)
    except ValueError as error:
        raise MediaError(ref.path, str(error)) from error
