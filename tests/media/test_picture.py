from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from qwen_omni_utils.v2_5 import vision_process

from avatar_core.config.media import MediaConfig
from avatar_core.errors import MediaError
from avatar_core.media.decode import decode
from avatar_core.media.picture import is_picture
from avatar_core.types import MediaRef
from tests.media.clips import write_clip


def test_images_equal_those_of_the_family(tmp_path):
    rng = np.random.default_rng(0)
    cases = 0
    for mode, size in (
        ("RGB", (123, 457)),
        ("RGBA", (80, 60)),
        ("L", (20, 30)),
        ("P", (1000, 900)),
    ):
        path = tmp_path / f"{mode}.png"
        height, width = size
        pixels = rng.integers(0, 255, (height, width, 4), np.uint8)
        image = Image.fromarray(pixels, "RGBA")
        (image if mode == "RGBA" else image.convert("RGB").convert(mode)).save(path)
        request = {"image": str(path), "min_pixels": 3136, "max_pixels": 401408}
        expected = np.asarray(vision_process.fetch_image(request))
        clip = decode(MediaRef("image", str(path)), MediaConfig(), "on")
        assert np.array_equal(clip.frames, expected[None])
        assert (clip.times, clip.sound, clip.reader) == ((0.0,), None, "image")
        cases += 1
    assert cases == 4


def test_images_beyond_a_limit_or_damaged_are_refused(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (60, 100, 3), np.uint8)).save(path)
    with pytest.raises(MediaError, match="100 x 60, beyond max_side = 99"):
        decode(MediaRef("image", str(path)), MediaConfig(max_side=99), "off")
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(MediaError, match="is a damaged image"):
        decode(MediaRef("image", str(path)), MediaConfig(), "off")
    Image.new("RGB", (201, 1)).save(path)
    with pytest.raises(MediaError, match="too narrow"):
        decode(MediaRef("image", str(path)), MediaConfig(), "off")


def test_a_picture_is_told_from_a_video_by_its_bytes_and_the_same_at_any_moment(tmp_path):
    path = tmp_path / "picture.mp4"
    Image.new("RGB", (84, 56), (200, 0, 0)).save(path, format="PNG")
    assert is_picture(str(path))
    whole = decode(MediaRef("image", str(path)), MediaConfig(), "off")
    later = decode(MediaRef("image", str(path), start=3.0), MediaConfig(), "off")
    assert np.array_equal(whole.frames, later.frames) and later.times == (0.0,)
    path.write_bytes(path.read_bytes()[:20])
    assert is_picture(str(path))
    assert not is_picture(str(write_clip(tmp_path / "clip.png.mp4")))
