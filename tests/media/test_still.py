"""One frame of a video as an image: which frame, in which size, and what has none."""

from __future__ import annotations

from pathlib import Path

import decord
import numpy as np
import pytest
from PIL import Image
from qwen_omni_utils.v2_5 import vision_process

from avatar_core.config.media import MediaConfig
from avatar_core.errors import MediaError
from avatar_core.media.decode import decode
from avatar_core.media.still import still_index
from avatar_core.types import Clip, MediaRef
from tests.media.clips import frame_number, tone, trimmed, write_clip

UNEVEN = [0, 10, 20, 25, 33, 70, 71, 72, 80, 90, 100, 130, 140, 150, 160, 170, 171, 172, 200, 220]


def still(path: Path, moment: float, **settings: object) -> Clip:
    config = MediaConfig.model_validate(settings)
    return decode(MediaRef("image", str(path), start=moment), config, "on")


def number(clip: Clip) -> int:
    assert clip.frames is not None and len(clip.frames) == 1
    return frame_number(clip.frames[0])


def test_the_frame_is_the_product_of_moment_and_rate_cut_to_a_whole_number() -> None:
    # 29.97 frames a second: 2 s are 59.94 frames, the 60th of them is number 59.
    cases = [(90, 29.97, 2.0, 59), (90, 29.97, 2.003, 60), (90, 29.97, 99.0, 89), (1, 5.0, 0.9, 0)]
    for count, fps, moment, index in cases:
        assert still_index(count, fps, moment) == index
    assert len(cases) == 4
    for moment in (-0.1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="has no moment .* s; give seconds from its start"):
            still_index(90, 30.0, moment)


@pytest.mark.parametrize("reader", ["av", "decord"])
def test_pixels_equal_those_of_the_family_for_the_frame_as_an_image(
    tmp_path: Path, reader: str
) -> None:
    path = write_clip(tmp_path / "clip.mp4", size=(240, 426), fps=10, frames=30)
    video = decord.VideoReader(str(path))
    shapes: list[tuple[int, ...]] = []
    for moment, index in ((0.0, 0), (0.55, 5), (1.9, 19), (2.99, 29), (40.0, 29)):
        for most in (401408, 50176):
            picture = Image.fromarray(video[index].asnumpy())
            request = {"image": picture, "min_pixels": 3136, "max_pixels": most}
            clip = still(path, moment, image_max_pixels=most, reader=reader)
            assert clip.frames is not None and number(clip) == index
            assert np.array_equal(clip.frames[0], np.asarray(vision_process.fetch_image(request)))
            assert (clip.times, clip.fps, clip.reader) == ((index / 10,), 1.0, reader)
            shapes.append(clip.frames.shape)
    # 240 x 426 is 9 by 15 patches of 28, and 6 by 10 where 50,176 pixels are allowed.
    assert shapes == [(1, 252, 420, 3), (1, 168, 280, 3)] * 5


def test_uneven_and_hidden_frames_are_counted_as_they_are_shown(tmp_path: Path) -> None:
    uneven = write_clip(tmp_path / "vfr.mp4", fps=100, stamps=UNEVEN)
    # 20 frames from 0 to 2.2 s are 19 / 2.2 = 8.64 a second: 1 s is frame 8, shown from 0.8 s.
    clip = still(uneven, 1.0)
    assert (number(clip), clip.times, clip.reader) == (8, (0.8,), "av")
    source = write_clip(tmp_path / "source.mp4", frames=60, options={"g": "12"})
    path = trimmed(source, tmp_path / "trimmed.mp4", first=7, count=8, fps=10)
    assert [number(still(path, moment)) for moment in (0.0, 0.35, 9.0)] == [7, 10, 14]


def test_a_moment_of_a_video_is_one_of_its_content(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", sound=tone(2.0))
    film = decode(MediaRef("video", str(path)), MediaConfig(), "off")
    clip = still(path, 0.5)
    assert (clip.content_hash, clip.sound) == (film.content_hash, None)


@pytest.mark.parametrize(
    ("name", "moment", "settings", "reason"),
    [
        ("clip.mp4", -1.0, {}, "has no moment -1 s"),
        ("clip.mp4", 1.0, {"max_seconds": 1.5}, "longer than max_seconds = 1.5"),
        ("clip.mp4", 1.0, {"max_side": 55}, "beyond max_side = 55"),
        ("sound.mp4", 1.0, {}, "has no video stream; give a video or a picture"),
        ("text.mp4", 1.0, {}, "is damaged or not a media file"),
        ("gone.mp4", 1.0, {}, "cannot be opened"),
    ],
)
def test_what_has_no_such_frame_is_refused_by_name(
    tmp_path: Path, name: str, moment: float, settings: dict[str, object], reason: str
) -> None:
    write_clip(tmp_path / "clip.mp4")
    write_clip(tmp_path / "sound.mp4", frames=0, sound=tone(1.0))
    (tmp_path / "text.mp4").write_text("hello " * 99)
    with pytest.raises(MediaError, match=reason) as caught:
        still(tmp_path / name, moment, **settings)
    assert caught.value.path == str(tmp_path / name)
