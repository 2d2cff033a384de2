"""The reader for who asks for decord; where it counts other frames than the file has, an error."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from avatar_core.errors import MediaError
from avatar_core.media.timeline import Timeline


def decord_frames(path: str, timeline: Timeline, indices: Sequence[int]) -> Iterator[np.ndarray]:
    """Yield the frames at `indices` as uint8 RGB [height, width, 3].

    Raises:
        MediaError: decord counts other frames than the file has, or cannot read one.
    """
    # Its import takes 0.2 s and 30 MB that most workers never need.
    import decord

    decord.logging.set_level(decord.logging.QUIET)
    try:
        video = decord.VideoReader(path, num_threads=1)
        if len(video) != len(timeline.times):
            raise MediaError(
                path,
                f"decord counts {len(video)} frames, not {len(timeline.times)}; use reader = 'av'",
            )
        for index in indices:
            yield video[index].asnumpy()
    except decord.DECORDError as error:
        # The message of decord may quote bytes of the file.
        raise MediaError(path, "cannot be read by decord; use reader = 'av'") from error
