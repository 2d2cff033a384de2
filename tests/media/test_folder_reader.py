"""A folder of pictures as a silent video: which pictures, at which times, in which size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from avatar_core.config.media import MediaConfig
from avatar_core.errors import MediaError, NoSoundError
from avatar_core.media.decode import decode
from avatar_core.media.plan import FrameSize
from avatar_core.media.resize import resize_frame
from avatar_core.types import AudioMode, Clip, MediaRef
from tests.media.clips import frame_number, numbered_frame, write_clip, write_pictures


def read(
    folder: Path,
    start: float | None = None,
    end: float | None = None,
    *,
    audio: AudioMode = "auto",
    **settings: object,
) -> Clip:
    ref = MediaRef("video", str(folder), start, end, fps=3.0)
    return decode(ref, MediaConfig.model_validate(settings), audio)


def numbers(clip: Clip) -> list[int]:
    assert clip.frames is not None
    return [frame_number(frame) for frame in clip.frames]


def test_pictures_are_planned_as_frames_of_a_video_and_not_altered(tmp_path: Path) -> None:
    clip = read(write_pictures(tmp_path / "film", 9))
    # 3 s at 2 a second are six of nine: round(i * 8 / 5) is 0 2 3 5 6 8, counted here from one.
    assert numbers(clip) == [1, 3, 4, 6, 7, 9]
    assert clip.times == tuple(index / 3 for index in (0, 2, 3, 5, 6, 8))
    assert (clip.fps, clip.sound, clip.reader) == (2.0, None, "image")
    expected = [numbered_frame(number, 56, 56) for number in numbers(clip)]
    assert clip.frames is not None and np.array_equal(clip.frames, np.stack(expected))


def test_a_window_picks_the_pictures_shown_in_it(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "film", 12, suffix=".jpg")
    # Picture n is shown at (n - 1) / 3 s: 1 s is picture 4, 2 s picture 7, 1.1 s lies before 5,
    # 0.7 s after 3.
    cases: list[tuple[float | None, float | None, list[int]]] = [
        (1.0, 2.0, [4, 5, 6, 7]),
        (1.1, 2.4, [5, 6, 7, 8]),
        (None, 0.7, [1, 3]),
        (3.0, 99.0, [10, 12]),
    ]
    for start, end, expected in cases:
        most = len(expected)
        clip = read(folder, start, end, fps=30.0, min_frames=2, max_frames=most)
        assert numbers(clip) == expected, (start, end)
    assert len(cases) == 4
    with pytest.raises(MediaError, match="fewer than 2 frames between 4 s and 5 s"):
        read(folder, 4.0, 5.0)


def test_it_is_the_clip_of_a_video_with_the_same_frames(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "film", 20, size=(120, 200))
    film = write_clip(tmp_path / "film.mp4", frames=20, fps=3, size=(120, 200))
    for window in ((None, None), (0.5, 4.1), (2.0, None)):
        for settings in ({}, {"fps": 1.0}, {"max_pixels": 12544}):
            ours = read(folder, *window, **settings)
            theirs = decode(
                MediaRef("video", str(film), *window), MediaConfig.model_validate(settings), "off"
            )
            assert ours.frames is not None and theirs.frames is not None
            assert ours.frames.shape == theirs.frames.shape
            assert ours.times == pytest.approx(theirs.times)
            assert ours.fps == theirs.fps
            # The film's first frame is painted 0, the folder's first picture 1.
            assert numbers(ours) == [number + 1 for number in numbers(theirs)]


def test_pictures_are_brought_to_size_as_frames_are(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "film", 4, size=(100, 150))
    clip = read(folder)
    # 100 x 150 is 4 by 5 patches of 28.
    size = FrameSize(112, 140)
    expected = [resize_frame(numbered_frame(n, 100, 150), size) for n in (1, 2, 3, 4)]
    assert clip.frames is not None and np.array_equal(clip.frames, np.stack(expected))


def test_it_is_silent(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "film", 4)
    for audio in ("auto", "off"):
        assert read(folder, audio=audio).sound is None
    with pytest.raises(NoSoundError, match="film: has no sound track; use --audio auto"):
        read(folder, audio="on")


def test_a_picture_that_cannot_be_shown_is_named_and_one_that_is_not_shown_is_not_opened(
    tmp_path: Path,
) -> None:
    folder = write_pictures(tmp_path / "film", 9)
    Image.new("RGB", (60, 56)).save(folder / "00003.png")
    with pytest.raises(
        MediaError, match=r"holds 00003\.png of another size; bring all to one size"
    ):
        read(folder)
    (folder / "00003.png").write_text("no picture")
    with pytest.raises(MediaError, match=r"film: holds 00003\.png, which is not an image"):
        read(folder)
    whole = (folder / "00004.png").read_bytes()
    (folder / "00003.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(MediaError, match=r"holds 00003\.png, which is a damaged image; replace it"):
        read(folder)
    # Four of nine: 1 4 6 9.
    assert numbers(read(folder, max_frames=4)) == [1, 4, 6, 9]
    with pytest.raises(
        MediaError, match=r"holds 00001\.png, which is a picture of 56 x 56, beyond"
    ):
        read(folder, max_side=55)


def test_one_picture_is_no_video(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="fewer than 2 frames; a video needs at least 2"):
        read(write_pictures(tmp_path / "film", 1))
