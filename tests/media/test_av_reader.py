"""The reference reader: the frame of its place, in order, over keyframes, or an error."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from av.video.frame import VideoFrame

from avatar_core.config.media import MediaConfig
from avatar_core.errors import MediaError
from avatar_core.media.av_reader import (
    OffTimelineError,
    _Cursor,
    av_frames,
    can_rewind,
    decoded_timeline,
    sparse_frames,
)
from avatar_core.media.decode import decode
from avatar_core.media.probe import open_media, probe
from avatar_core.media.timeline import Timeline
from avatar_core.types import MediaRef
from tests.media.clips import frame_number, numbered_frame, tone, trimmed, write_clip


def timeline(path: Path) -> Timeline:
    found = probe(str(path), MediaConfig()).timeline
    assert found is not None
    return found


def numbers(path: Path, shown: Timeline, *indices: int) -> list[int]:
    return [frame_number(frame) for frame in av_frames(str(path), shown, indices)]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clip")
    return write_clip(folder / "clip.mp4", frames=60, options={"g": "12", "bf": "2"})


def test_any_increasing_places_give_their_frames(clip: Path) -> None:
    shown, cases = timeline(clip), 0
    for indices in ((0,), (59,), (0, 1, 2), (11, 12, 13), (5, 30, 31, 58), tuple(range(60))):
        assert numbers(clip, shown, *indices) == list(indices)
        cases += 1
    assert cases == 6


def test_frames_are_counted_where_nothing_is_stamped_and_nothing_is_sought(clip: Path) -> None:
    shown = replace(timeline(clip), stamps=(), keyframes=())
    assert numbers(clip, shown, 3, 17, 40) == [3, 17, 40]


def test_pixels_are_rgb_and_upright(tmp_path: Path) -> None:
    plain = write_clip(tmp_path / "plain.mp4", frames=2, size=(56, 84), options={"qp": "0"})
    (frame,) = av_frames(str(plain), timeline(plain), [1])
    assert frame.shape == (56, 84, 3)
    assert frame.dtype == np.uint8
    # Colour is stored for every second pixel only; away from edges a few levels are lost.
    painted = numbered_frame(1, 56, 84)
    assert np.abs(frame[42:56, 10:30].astype(int) - painted[42:56, 10:30]).mean() < 6
    turned = write_clip(tmp_path / "turned.mp4", frames=2, size=(56, 84), rotation=90)
    (upright,) = av_frames(str(turned), timeline(turned), [1])
    assert upright.shape == (84, 56, 3)


def test_a_frame_that_never_comes_is_off_the_timeline(clip: Path) -> None:
    shown = timeline(clip)
    step = shown.stamps[1] - shown.stamps[0]
    longer = replace(shown, stamps=(*shown.stamps, shown.stamps[-1] + step))
    with pytest.raises(OffTimelineError, match="frame 60 is missing"):
        numbers(clip, longer, 58, 60)
    other = replace(shown, stamps=tuple(stamp + 1 for stamp in shown.stamps), keyframes=())
    with pytest.raises(OffTimelineError, match="shows a frame it does not announce"):
        numbers(clip, other, 0)


def test_a_full_decode_finds_the_timeline_of_the_packets(clip: Path) -> None:
    shown, decoded = timeline(clip), decoded_timeline(str(clip))
    assert (decoded.times, decoded.stamps, decoded.fps) == (shown.times, shown.stamps, shown.fps)
    assert decoded.keyframes == ()


def test_a_file_without_a_picture_is_refused(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "sound.mp4", frames=0, sound=tone(0.5))
    with pytest.raises(MediaError, match="has no video stream"):
        decoded_timeline(str(path))


def sparsely(path: Path, shown: Timeline, indices: tuple[int, ...]) -> list[np.ndarray]:
    """Frames read from a container whose packets have been read to their end."""
    with open_media(str(path)) as container:
        assert sum(1 for _ in container.demux()) > len(shown.times)
        return list(sparse_frames(str(path), container, shown, indices))


FILMS: dict[str, dict[str, Any]] = {
    # B frames that others refer to, P frames only, many references, an open group of pictures,
    # slices, another container, two codecs that are not skipped in.
    "pyramid.mp4": {"options": {"bf": "3", "g": "24", "x264-params": "b-pyramid=2"}},
    "forward.mp4": {"options": {"bf": "0", "g": "250"}},
    "references.mp4": {"options": {"bf": "5", "refs": "5", "x264-params": "b-adapt=0"}},
    "open.mp4": {"options": {"g": "12", "x264-params": "open-gop=1:bframes=3"}},
    "slices.mp4": {"options": {"slices": "3", "bf": "2"}},
    "pyramid.mkv": {"options": {"bf": "3", "g": "24"}},
    "hevc.mp4": {"codec": "libx265", "options": {"x265-params": "log-level=0:keyint=12"}},
    "vp9.webm": {"codec": "libvpx-vp9", "options": {"g": "12"}},
}


@pytest.mark.parametrize("name", FILMS)
def test_sparse_reading_gives_bit_by_bit_what_decoding_everything_gives(
    tmp_path: Path, name: str
) -> None:
    path = write_clip(tmp_path / name, frames=60, size=(112, 112), **FILMS[name])
    shown = timeline(path)
    assert can_rewind(shown)
    every = list(av_frames(str(path), shown, range(60)))
    draw, cases = np.random.default_rng(0), 0
    for count in (1, 2, 2, 3, 4, 6, 8, 8, 16, 16, 30, 59, 60):
        indices = tuple(sorted(int(n) for n in draw.choice(60, count, replace=False)))
        got = sparsely(path, shown, indices)
        assert len(got) == count
        for index, frame in zip(indices, got, strict=True):
            assert np.array_equal(frame, every[index]), (index, indices)
        cases += 1
    assert cases == 13


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Positions of the frames that come out of the decoder from now on."""
    positions: list[int] = []
    original = _Cursor._position_of

    def noted(self: _Cursor, frame: VideoFrame) -> int:
        positions.append(original(self, frame))
        return positions[-1]

    monkeypatch.setattr(_Cursor, "_position_of", noted)
    return positions


def test_sparse_reading_skips_what_no_frame_refers_to(tmp_path: Path, decoded: list[int]) -> None:
    plan = "b-adapt=0:b-pyramid=0:scenecut=0:keyint=60"
    path = write_clip(tmp_path / "thirds.mp4", frames=60, options={"bf": "2", "x264-params": plan})
    shown = timeline(path)
    assert numbers(path, shown, 0, 31) == [0, 31]
    assert decoded == list(range(32))
    decoded.clear()
    assert [frame_number(frame) for frame in sparsely(path, shown, (0, 31))] == [0, 31]
    # Every third frame is referred to; 31 is not, and is asked for.
    assert decoded == [*range(0, 31, 3), 31]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize("between", ["0", "2"])
def test_decoding_begins_at_the_last_keyframe_before_a_frame(
    tmp_path: Path, suffix: str, between: str, decoded: list[int]
) -> None:
    options = {"g": "10", "bf": between, "x264-params": "open-gop=0:scenecut=0"}
    path = write_clip(tmp_path / f"tens{suffix}", frames=60, options=options)
    assert numbers(path, timeline(path), 3, 4, 21, 38, 50) == [3, 4, 21, 38, 50]
    assert decoded == [*range(5), 20, 21, *range(30, 39), 50]


def test_interlaced_pictures_are_not_read_sparsely(tmp_path: Path) -> None:
    options = {"flags": "+ildct+ilme", "x264-params": "tff=1", "bf": "2"}
    path = write_clip(tmp_path / "lines.mp4", frames=20, options=options)
    with pytest.raises(OffTimelineError, match="is interlaced"):
        sparsely(path, timeline(path), (0, 9, 19))
    clip = decode(MediaRef("video", str(path)), MediaConfig(), "off")
    assert clip.frames is not None
    assert [frame_number(frame) for frame in clip.frames] == [0, 6, 13, 19]


def test_only_a_timeline_that_starts_with_a_keyframe_can_be_rewound(
    tmp_path: Path, clip: Path
) -> None:
    assert can_rewind(timeline(clip))
    # An edit list hides frames, a transport stream has no index to seek by.
    hidden = trimmed(clip, tmp_path / "part.mp4", first=7, count=30, fps=10)
    stream = write_clip(tmp_path / "stream.ts", frames=20)
    for path in (hidden, stream):
        assert not can_rewind(timeline(path))
