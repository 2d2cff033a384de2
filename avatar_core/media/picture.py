"""Single images: read by Pillow from a list of formats, sized by the model family's rule."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import numpy as np
from PIL import Image, UnidentifiedImageError

from avatar_core.config.media import MediaConfig
from avatar_core.errors import MediaError
from avatar_core.media.plan import image_size

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")


def read_picture(path: str, config: MediaConfig) -> np.ndarray:
    """Read an image as uint8 RGB [1, height, width, 3]; transparent parts become white.

    Orientation tags are not applied, as the model family's own reader does not apply them.

    Raises:
        MediaError: it is not an image of an allowed format, too large or damaged.
    """
    with open_picture(path, config) as image:
        return as_image(image, config)


def as_image(image: Image.Image, config: MediaConfig) -> np.ndarray:
    """Pixels of a single image brought to its size: uint8 RGB [1, height, width, 3].

    Raises:
        ValueError: it is too narrow.
    """
    size = image_size(image.height, image.width, config)
    return np.asarray(in_rgb(image).resize((size.width, size.height)))[None]


def is_picture(path: str) -> bool:
    """Whether a file is an image of an allowed format by its first bytes, sound or damaged."""
    try:
        with Image.open(path, formats=FORMATS):
            return True
    except UnidentifiedImageError:
        return False
    except (Image.DecompressionBombError, OSError, SyntaxError, ValueError):
        return True


@contextlib.contextmanager
def open_picture(path: str, config: MediaConfig) -> Iterator[Image.Image]:
    """Open an image within `max_side`; what goes wrong inside the block is its file's fault.

    Raises:
        MediaError: it is not an image of an allowed format, too large or damaged.
    """
    try:
        with Image.open(path, formats=FORMATS) as image:
            if max(image.size) > config.max_side:
                raise MediaError(
                    path,
                    f"is a picture of {image.width} x {image.height}, "
                    f"beyond max_side = {config.max_side}; reduce it or raise the limit",
                )
            yield image
    except UnidentifiedImageError as error:
        raise MediaError(path, f"is not an image ({', '.join(FORMATS)}); convert it") from error
    except Image.DecompressionBombError as error:
        raise MediaError(path, "has too many pixels; reduce it") from error
    except (OSError, SyntaxError) as error:
        raise MediaError(path, "is a damaged image; replace it") from error
    except ValueError as error:
        raise MediaError(path, str(error)) from error


def in_rgb(image: Image.Image) -> Image.Image:
    """The image in RGB, on white where it is transparent."""
    if image.mode != "RGBA":
        return image.convert("RGB")
    ground = Image.new("RGB", image.size, (255, 255, 255))
    ground.paste(image, mask=image.split()[3])
    return ground
