"""The reader for a folder of pictures; which of them are shown is planned as for any video."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import numpy as np

from avatar_core.config.media import MediaConfig
from avatar_core.errors import MediaError
from avatar_core.media.folder import Picture, rate_of
from avatar_core.media.frames import VideoFrames, planned_frames
from avatar_core.media.picture import in_rgb, open_picture
from avatar_core.media.timeline import Timeline
from avatar_core.types import MediaRef


def read_pictures(ref: MediaRef, pictures: Sequence[Picture], config: MediaConfig) -> VideoFrames:
    """Read the planned pictures of a folder, see `plan.plan_frames`.

    Raises:
        MediaError: a picture is damaged, too large or unlike the others in size, or the window is
            too short.
    """

    def shown(path: str, _: Timeline, indices: Sequence[int]) -> Iterator[np.ndarray]:
        shape: tuple[int, ...] | None = None
        for index in indices:
            frame = _pixels(path, pictures[index].name, config)
            if shape not in (None, frame.shape):
                raise MediaError(
                    path, f"holds {pictures[index].name} of another size; bring all to one size"
                )
            shape = frame.shape
            yield frame

    fps = rate_of(ref)
    times = tuple(index / fps for index in range(len(pictures)))
    return planned_frames(shown, "image", Timeline(times, fps), ref, config)


def _pixels(folder: str, name: str, config: MediaConfig) -> np.ndarray:
    """One picture of a folder as uint8 RGB [height, width, 3]."""
    try:
        with open_picture(os.path.join(folder, name), config) as image:
            return np.array(in_rgb(image))
    except MediaError as error:
        raise MediaError(folder, f"holds {name}, which {error.reason}") from error
