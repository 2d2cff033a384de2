"""The reference reader: the frame of its place, in order, over keyframes, or an error."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from avatar_core.config.media import MediaConfig
from avatar_core.errors import MediaError
from avatar_core.media.av_reader import OffTimelineError, av_frames, decoded_timeline
from avatar_core.media.probe import probe
from avatar_core.media.timeline import Timeline
from tests.media.clips import frame_number, numbered_frame, tone, write_clip


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
