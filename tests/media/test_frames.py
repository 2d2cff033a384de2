from __future__ import annotations

import struct
from pathlib import Path

import av
import numpy as np
import pytest
from qwen_omni_utils.v2_5 import vision_process

from avatar_core.config.media import MediaConfig
from avatar_core.errors import MediaError
from avatar_core.media.decode import decode
from avatar_core.types import Clip, MediaRef
from tests.media.clips import frame_number, trimmed, write_clip

QUIET = {"x265-params": "log-level=0"}
UNEVEN = [0, 10, 20, 25, 33, 70, 71, 72, 80, 90, 100, 130, 140, 150, 160, 170, 171, 172, 200, 220]


def read(path: Path, start: float | None = None, end: float | None = None, **settings) -> Clip:
    return decode(MediaRef("video", str(path), start, end), MediaConfig(**settings), "off")


def numbers(clip: Clip) -> list[int]:
    assert clip.frames is not None
    return [frame_number(frame) for frame in clip.frames]


def sequential(path: Path) -> list[tuple[float, int]]:
    """Time and painted number of every frame a full decode shows."""
    with av.open(str(path)) as container:
        origin = max(0, container.start_time) / 1_000_000
        return [
            (frame.time - origin, frame_number(frame.to_ndarray(format="rgb24")))
            for frame in container.decode(video=0)
        ]


@pytest.fixture
def family(monkeypatch):
    """`fetch_video` of the model family, reading by decord."""
    monkeypatch.setattr(vision_process, "FORCE_QWENVL_VIDEO_READER", "decord")
    vision_process.get_video_reader_backend.cache_clear()
    yield vision_process.fetch_video
    vision_process.get_video_reader_backend.cache_clear()


CASES = [
    # size, fps of the file, frames, seconds of the window, max_pixels
    ((56, 56), 10, 40, None, 50176),
    ((64, 96), 10, 23, None, 50176),
    ((240, 320), 25, 60, (0.5, 1.9), 50176),
    ((480, 270), 30, 35, (None, 0.8), 12544),
    ((360, 640), 24, 30, (0.33, None), 200704),
    ((28, 28), 5, 12, None, 50176),
]


@pytest.mark.parametrize("reader", ["av", "decord"])
def test_pixels_and_fps_equal_those_of_the_family(tmp_path, family, reader):
    for number, (size, fps, frames, window, max_pixels) in enumerate(CASES):
        path = write_clip(tmp_path / f"{number}.mp4", size=size, fps=fps, frames=frames)
        start, end = window or (None, None)
        request = {"video": str(path), "fps": 2.0, "min_frames": 4, "max_frames": 16}
        request |= {"min_pixels": 3136, "max_pixels": max_pixels}
        request |= {k: v for k, v in (("video_start", start), ("video_end", end)) if v is not None}
        expected, expected_fps = family(request, return_video_sample_fps=True)
        clip = read(path, start, end, reader=reader, max_pixels=max_pixels)
        assert clip.frames is not None and clip.reader == reader
        assert np.array_equal(clip.frames, expected.permute(0, 2, 3, 1).numpy()), number
        assert clip.fps == expected_fps
    assert number == len(CASES) - 1


def test_every_container_gives_the_frame_of_its_time(tmp_path):
    files = [
        write_clip(tmp_path / "h264.mp4", frames=60, options={"g": "12"}),
        write_clip(tmp_path / "h264.mkv", frames=60, options={"g": "12"}),
        write_clip(tmp_path / "h264.ts", frames=60, options={"g": "12"}),
        write_clip(
            tmp_path / "hevc.mp4",
            frames=60,
            codec="libx265",
            options=QUIET,
        ),
        write_clip(tmp_path / "mpeg4.avi", frames=60, codec="mpeg4", options={"bf": "2"}),
        write_clip(tmp_path / "vp8.webm", frames=60, codec="libvpx", options={"auto-alt-ref": "1"}),
        write_clip(tmp_path / "vp9.webm", frames=60, codec="libvpx-vp9", options={"g": "12"}),
        write_clip(tmp_path / "vfr.mp4", fps=100, stamps=UNEVEN, options={"g": "5"}),
        write_clip(tmp_path / "vfr.mkv", fps=100, stamps=UNEVEN, options={"g": "5"}),
        write_clip(tmp_path / "late.mp4", frames=60, stamps=list(range(7, 67))),
    ]
    for path in files:
        shown = dict((round(time, 4), number) for time, number in sequential(path))
        for settings in ({}, {"fps": 10.0, "max_frames": 64}, {"fps": 1.0}):
            clip = read(path, **settings)
            assert [shown[round(time, 4)] for time in clip.times] == numbers(clip), path.name
            assert len(set(clip.times)) == len(clip.times)
    assert len(files) == 10


def test_seeking_gives_what_decoding_in_order_gives(tmp_path):
    for suffix in (".mp4", ".mkv"):
        path = write_clip(tmp_path / f"long{suffix}", frames=250, options={"g": "15", "bf": "3"})
        clip = read(path, fps=0.4, max_frames=10, reader="av")
        # 250 frames at 10 per second, 10 of them: round(i * 249 / 9).
        assert numbers(clip) == [0, 28, 55, 83, 111, 138, 166, 194, 221, 249]
        assert read(path, 20.05, 21.0, reader="av").times == pytest.approx([20.1, 20.4, 20.7, 21.0])


def test_uneven_frames_are_windowed_by_time(tmp_path):
    path = write_clip(tmp_path / "vfr.mp4", fps=100, stamps=UNEVEN)
    # Shown within [0.30, 1.00] s: stamps 33 70 71 72 80 90 100, frames 4 to 10; 4 of 7: 4 6 8 10.
    clip = read(path, 0.30, 1.00)
    assert (numbers(clip), clip.reader) == ([4, 6, 8, 10], "av")
    assert clip.times == (0.33, 0.71, 0.8, 1.0)
    # 20 frames from 0 to 2.2 s are 19 / 2.2 per second; 4 of 20 are taken.
    assert read(path).fps == pytest.approx(4 / 20 * 19 / 2.2)


def test_an_edit_list_hides_frames_from_the_clip(tmp_path):
    source = write_clip(tmp_path / "source.mp4", frames=60, options={"g": "12"})
    for first, count in ((7, 8), (12, 20), (1, 58), (30, 20)):
        path = trimmed(source, tmp_path / "trimmed.mp4", first=first, count=count, fps=10)
        clip = read(path, fps=10.0, max_frames=64)
        assert numbers(clip) == list(range(first, first + count))
        assert clip.times == pytest.approx([index / 10 for index in range(count)])


def test_decord_reads_only_when_it_is_asked_for(tmp_path):
    path = write_clip(tmp_path / "plain.mp4")
    readers = {reader: read(path, reader=reader).reader for reader in ("auto", "av", "decord")}
    assert readers == {"auto": "av", "av": "av", "decord": "decord"}


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_frames_are_turned_as_they_are_shown(tmp_path, rotation):
    plain = read(write_clip(tmp_path / "plain.mp4", size=(56, 112)))
    path = write_clip(tmp_path / "turned.mp4", size=(56, 112), rotation=rotation)
    assert plain.frames is not None
    for reader in ("av", "decord"):
        turned = read(path, reader=reader).frames
        assert np.array_equal(turned, np.rot90(plain.frames, rotation // 90, axes=(1, 2))), reader


def test_a_single_frame_is_refused(tmp_path):
    with pytest.raises(MediaError, match="fewer than 2 frames"):
        read(write_clip(tmp_path / "one.mp4", frames=1))


def test_a_damaged_or_missing_frame_is_an_error(tmp_path):
    """Bytes of the picture are overwritten; the container still counts 60 frames."""
    source = write_clip(tmp_path / "source.mp4", frames=60, size=(112, 112)).read_bytes()
    start = source.index(b"mdat") + 4
    length = struct.unpack(">I", source[start - 8 : start - 4])[0] - 8
    refused = 0
    for part in (0.0, 0.2, 0.4, 0.6, 0.8):
        first = start + int(part * length)
        path = tmp_path / "damaged.mp4"
        path.write_bytes(source[:first] + bytes(length // 6) + source[first + length // 6 :])
        try:
            clip = read(path, reader="av", fps=10.0, max_frames=60)
        except MediaError:
            refused += 1
        else:
            assert numbers(clip) == list(range(60))
    assert refused == 5
