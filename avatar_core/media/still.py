"""One frame of a video file as a single image: the frame at a moment, sized as images are.

The frame is number int(t · fps) of the file, counted from 0 and at most the last: the rule by which
CG-AV-Counting shows the frames of its clues.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from av.container import InputContainer
from PIL import Image

from avatar_core.config.media import MediaConfig
from avatar_core.errors import MediaError
from avatar_core.media.frames import FrameReader, by_best_reader
from avatar_core.media.picture import as_image
from avatar_core.media.timeline import Timeline


class Still(NamedTuple):
    """A frame shown as an image.

    Attributes:
        pixels: uint8 RGB [1, height, width, 3].
        time: presentation time of the frame, in seconds from the start of the file.
        reader: library that decoded it.
    """

    pixels: np.ndarray
    time: float
    reader: str


def still_index(count: int, fps: float, moment: float) -> int:
    """Position of the frame at `moment` seconds among `count` frames, the last one behind the end.

    >>> [still_index(20, 10.0, moment) for moment in (0.0, 0.55, 1.9, 7.0)]
    [0, 5, 19, 19]

    Raises:
        ValueError: the moment is negative or not a number.
    """
    if not (math.isfinite(moment) and moment >= 0):
        raise ValueError(f"has no moment {moment:g} s; give seconds from its start")
    return min(int(moment * fps), count - 1)


def read_still(
    path: str,
    moment: float,
    container: InputContainer,
    timeline: Timeline | None,
    config: MediaConfig,
) -> Still:
    """Read the frame of a video at a moment.

    Args:
        path: the video.
        moment: seconds from the start of the file.
        container: the video, open.
        timeline: its frames; `None` if there are none.
        config: size of images, library and limits.

    Raises:
        MediaError: the file has no picture, the frame is damaged or too narrow, or the moment is
            none.
    """
    if timeline is None:
        raise MediaError(path, "has no video stream; give a video or a picture")

    def at_moment(read: FrameReader, reader: str, shown: Timeline) -> Still:
        index = still_index(len(shown.times), shown.fps, moment)
        (frame,) = read(path, shown, (index,))
        return Still(as_image(Image.fromarray(frame), config), shown.times[index], reader)

    try:
        return by_best_reader(path, container, timeline, config, at_moment)
    except ValueError as error:
        raise MediaError(path, str(error)) from error
