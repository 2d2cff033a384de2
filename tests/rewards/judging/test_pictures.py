from __future__ import annotations

import base64
import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from avatar_core.rewards.judging.pictures import Picture, pictures_of, reduced
from tests.rewards.judging.cases import clip_of


@pytest.mark.parametrize(
    ("frames", "count", "levels"),
    [
        # 16 frames, 4 pictures: places 0, 5, 10, 15.
        (16, 4, [0, 5, 10, 15]),
        (16, 1, [7]),
        (3, 8, [0, 1, 2]),
        (1, 8, [0]),
        (16, 0, []),
    ],
)
def test_frames_are_evenly_spaced(frames: int, count: int, levels: list[int]) -> None:
    pictures = pictures_of(clip_of(frames), count, 448)
    assert [int(picture.pixels[0, 0, 0]) for picture in pictures] == levels


def test_no_clip_and_sound_alone_give_no_pictures() -> None:
    assert pictures_of(None, 8, 448) == ()
    assert pictures_of(replace(clip_of(1), frames=None), 8, 448) == ()


def test_only_large_frames_are_reduced() -> None:
    pixels = np.zeros((100, 300, 3), np.uint8)
    # The longer side becomes 60, the other 100 · 60 / 300 = 20.
    assert reduced(pixels, 60).shape == (20, 60, 3)
    assert reduced(pixels, 300) is pixels


def test_the_data_url_is_a_jpeg_of_the_picture() -> None:
    picture = Picture(np.full((28, 42, 3), 200, np.uint8))
    kind, _, data = picture.data_url.partition(",")
    image = Image.open(io.BytesIO(base64.b64decode(data)))
    assert kind == "data:image/jpeg;base64"
    assert image.size == (42, 28)
    assert abs(int(np.asarray(image)[5, 5, 0]) - 200) <= 2
    assert picture.data_url is picture.data_url


def test_digests_tell_pictures_apart() -> None:
    zeros = np.zeros((28, 42, 3), np.uint8)
    other = zeros.copy()
    other[3, 3, 1] = 1
    digests = {Picture(p).digest for p in (zeros, other, zeros.reshape(42, 28, 3))}
    assert len(digests) == 3
    assert Picture(zeros).digest == Picture(zeros.copy()).digest
