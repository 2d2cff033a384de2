"""Which frames of a file are read and how large they become: the model family's rules, in numbers.

The results equal those of qwen-omni-utils (`fetch_video`, `fetch_image`), down to the float32
arithmetic of its frame positions, so that a model sees here what it saw when it was trained.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from avatar_core.config.media import MediaConfig

FRAME_FACTOR = 2
"""Frames are merged in pairs along time."""
SIZE_FACTOR = 28
"""A side is a multiple of patch (14) times spatial merge (2)."""
MAX_ASPECT = 200
MAX_VIDEO_PIXELS = 768 * SIZE_FACTOR**2
MAX_TOTAL_PIXELS = 128000 * SIZE_FACTOR**2 * 0.9


class FrameWindow(NamedTuple):
    """First and last frame of a part of a video, both included."""

    first: int
    last: int


class FramePlan(NamedTuple):
    """The frames to read.

    Attributes:
        indices: positions in presentation order, increasing.
        fps: frames per second of the sampled frames.
    """

    indices: tuple[int, ...]
    fps: float


class FrameSize(NamedTuple):
    """Height and width in pixels, both multiples of 28."""

    height: int
    width: int


def frame_window(total: int, fps: float, start: float | None, end: float | None) -> FrameWindow:
    """Frames of the seconds [start, end] of a video with evenly spaced frames.

    Args:
        total: frames of the video.
        fps: its frames per second.
        start: seconds, or `None` for the first frame.
        end: seconds, or `None` for the last frame.

    Raises:
        ValueError: the window holds fewer than two frames.
    """
    duration = total / fps
    first = 0 if start is None else math.ceil(max(0.0, min(start, duration)) * fps)
    last = total - 1
    if end is not None:
        last = min(math.floor(max(0.0, min(end, duration)) * fps), total - 1)
    return _checked(FrameWindow(first, last), start, end)


def timed_window(times: Sequence[float], start: float | None, end: float | None) -> FrameWindow:
    """Frames whose presentation times lie in [start, end]; for videos with unevenly spaced frames.

    Args:
        times: presentation time of every frame in seconds, increasing.
        start: seconds, or `None` for the first frame.
        end: seconds, or `None` for the last frame.

    Raises:
        ValueError: the window holds fewer than two frames.
    """
    first = 0 if start is None else bisect.bisect_left(times, start)
    last = len(times) - 1 if end is None else bisect.bisect_right(times, end) - 1
    return _checked(FrameWindow(first, last), start, end)


def _checked(window: FrameWindow, start: float | None, end: float | None) -> FrameWindow:
    """Refuse a window of fewer than two frames."""
    if window.first < window.last:
        return window
    if start is None and end is None:
        raise ValueError("has fewer than 2 frames; a video needs at least 2")
    raise ValueError(
        f"has fewer than 2 frames between {0.0 if start is None else start:g} s and "
        f"{'its end' if end is None else f'{end:g} s'}; widen the window"
    )


def frame_count(total: int, fps: float, config: MediaConfig) -> int:
    """Number of frames to take from `total`: `config.fps` per second within its bounds, even.

    Raises:
        ValueError: fewer than two frames would remain.
    """
    least = math.ceil(config.min_frames / FRAME_FACTOR) * FRAME_FACTOR
    most = math.floor(config.max_frames / FRAME_FACTOR) * FRAME_FACTOR
    wanted = min(max(total / fps * config.fps, least), most, total)
    count = math.floor(wanted / FRAME_FACTOR) * FRAME_FACTOR
    if count < FRAME_FACTOR:
        raise ValueError("has fewer than 2 frames; a video needs at least 2")
    return count


def spread(window: FrameWindow, count: int) -> tuple[int, ...]:
    """`count` ≥ 2 positions from first to last frame, evenly spaced, halves rounded to even.

    A value is first + step·i in the first half and last − step·(count − 1 − i) in the second,
    rounded once to float32, as `torch.linspace` computes it with fused multiply-add. With exact
    positions a few halves would round to the other frame.
    """
    step = np.float64((np.float32(window.last) - np.float32(window.first)) / np.float32(count - 1))
    index = np.arange(count)
    values = np.where(
        index < count // 2,
        np.float32(window.first) + step * index,
        np.float32(window.last) - step * (count - 1 - index),
    ).astype(np.float32)
    return tuple(int(value) for value in np.round(values))


def plan_frames(window: FrameWindow, fps: float, config: MediaConfig) -> FramePlan:
    """Frames to read from a window of a video of `fps` frames per second.

    Raises:
        ValueError: the window is too short.
    """
    total = window.last - window.first + 1
    count = frame_count(total, fps, config)
    return FramePlan(spread(window, count), count / total * fps)


def fit_size(height: int, width: int, min_pixels: int, max_pixels: float) -> FrameSize:
    """Size of multiples of 28 with the area within bounds and the aspect kept as they allow.

    Raises:
        ValueError: a side is zero, the aspect ratio is beyond 200, or no such size exists.
    """
    if min(height, width) < 1 or max(height, width) > MAX_ASPECT * min(height, width):
        raise ValueError(f"picture of {width} x {height} is too narrow; crop it")
    high = max(SIZE_FACTOR, round(height / SIZE_FACTOR) * SIZE_FACTOR)
    wide = max(SIZE_FACTOR, round(width / SIZE_FACTOR) * SIZE_FACTOR)
    if high * wide > max_pixels:
        shrink = math.sqrt((height * width) / max_pixels)
        high = math.floor(height / shrink / SIZE_FACTOR) * SIZE_FACTOR
        wide = math.floor(width / shrink / SIZE_FACTOR) * SIZE_FACTOR
    elif high * wide < min_pixels:
        grow = math.sqrt(min_pixels / (height * width))
        high = math.ceil(height * grow / SIZE_FACTOR) * SIZE_FACTOR
        wide = math.ceil(width * grow / SIZE_FACTOR) * SIZE_FACTOR
    if high < 1 or wide < 1:
        raise ValueError(
            f"picture of {width} x {height} does not fit {max_pixels:.0f} pixels; raise max_pixels"
        )
    return FrameSize(high, wide)


def video_size(height: int, width: int, count: int, config: MediaConfig) -> FrameSize:
    """Size of each of `count` frames of a video, see `fit_size`.

    The family's own ceilings, 602,112 pixels a frame and 90,316,800 for all pairs of frames, hold
    beside `max_pixels`.
    """
    ceiling = max(
        min(MAX_VIDEO_PIXELS, MAX_TOTAL_PIXELS / count * FRAME_FACTOR),
        int(config.min_pixels * 1.05),
    )
    return fit_size(height, width, config.min_pixels, min(config.max_pixels, ceiling))


def image_size(height: int, width: int, config: MediaConfig) -> FrameSize:
    """Size of a single image, see `fit_size`."""
    return fit_size(height, width, config.min_pixels, config.image_max_pixels)
