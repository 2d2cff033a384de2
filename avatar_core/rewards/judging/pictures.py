"""Frames for a judge: which ones, how large, and how they travel."""

from __future__ import annotations

import base64
import functools
import hashlib
import io

import numpy as np
from PIL import Image

from avatar_core.types import Clip

_JPEG_QUALITY = 90


class Picture:
    """One frame, encoded at most once however many prompts show it.

    Attributes:
        pixels: uint8 RGB of shape [height, width, 3].
    """

    def __init__(self, pixels: np.ndarray) -> None:
        self.pixels = pixels

    @functools.cached_property
    def digest(self) -> str:
        """Digest of size and pixels: the encoding may change with the library that does it."""
        digest = hashlib.blake2b(repr(self.pixels.shape).encode(), digest_size=16)
        digest.update(np.ascontiguousarray(self.pixels).tobytes())
        return digest.hexdigest()

    @functools.cached_property
    def data_url(self) -> str:
        """The picture as a JPEG in a data URL."""
        file = io.BytesIO()
        self.image().save(file, "JPEG", quality=_JPEG_QUALITY, subsampling=0)
        return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"

    def image(self) -> Image.Image:
        """The picture for a processor."""
        return Image.fromarray(self.pixels)


def pictures_of(clip: Clip | None, count: int, side: int) -> tuple[Picture, ...]:
    """Evenly spaced frames of a clip, the first and the last among them.

    Args:
        clip: what was seen; without frames there are no pictures.
        count: most pictures; a single one is the middle frame.
        side: longer pictures are reduced to this many pixels on their longer side.
    """
    if clip is None or clip.frames is None or not len(clip.frames) or not count:
        return ()
    last = len(clip.frames) - 1
    if count == 1:
        chosen = [last // 2]
    else:
        spaced = np.linspace(0, last, min(count, last + 1))
        chosen = [int(place) for place in spaced.round()]
    return tuple(Picture(reduced(clip.frames[index], side)) for index in chosen)


def reduced(pixels: np.ndarray, side: int) -> np.ndarray:
    """A picture whose longer side is at most `side`, in the same proportions."""
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return pixels
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))
