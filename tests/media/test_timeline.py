"""When frames are shown: from the stamps of packets, by containers and by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from avatar_core.errors import MediaError
from avatar_core.media.probe import open_media
from avatar_core.media.streams import picture_stream
from avatar_core.media.timeline import Timeline, scan_timeline, timeline_of
from tests.media.clips import trimmed, write_clip


def scanned(path: Path) -> Timeline:
    with open_media(str(path)) as container:
        stream = picture_stream(container)
        assert stream is not None
        return scan_timeline(str(path), container, stream)


def stamped(path: Path, stamps: list[int | None]) -> Timeline:
    """Timeline of given stamps on the clock of a file of 10 frames a second."""
    with open_media(str(path)) as container:
        stream = picture_stream(container)
        assert stream is not None and stream.time_base is not None
        unit = 0.1 / float(stream.time_base)
        scaled = [None if stamp is None else round(stamp * unit) for stamp in stamps]
        return timeline_of(str(path), scaled, container, stream)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4")


def test_length_evenness_and_start_by_hand() -> None:
    even = Timeline((0.5, 1.0, 1.5), 2.0)
    # The last frame is shown for half a second, so the video ends at 2 s.
    assert (even.end, even.seconds, even.is_even, even.starts_at_zero) == (2.0, 1.5, True, False)
    assert Timeline((0.0, 0.501, 0.999), 2.0).is_even
    assert not Timeline((0.0, 0.502, 1.0), 2.0).is_even
    assert Timeline((0.0015, 0.5), 2.0).starts_at_zero
    assert not Timeline((0.002, 0.5), 2.0).starts_at_zero


def test_every_container_has_its_twenty_frames(tmp_path: Path) -> None:
    seen, every_fifth = 0, {"g": "5", "bf": "0", "sc_threshold": "0"}
    for suffix in (".mp4", ".mkv", ".ts"):
        timeline = scanned(write_clip(tmp_path / f"clip{suffix}", options=every_fifth))
        assert timeline.times == pytest.approx([index / 10 for index in range(20)], abs=0.0015)
        assert (timeline.fps, timeline.hidden, timeline.is_even) == (10.0, 0, True)
        # A keyframe every five frames; a stream without an index is not sought in.
        assert timeline.keyframes == (() if suffix == ".ts" else (0, 5, 10, 15))
        seen += 1
    assert seen == 3


def test_keyframes_are_counted_as_they_are_shown(tmp_path: Path) -> None:
    # With two frames in a row that are predicted from later ones, decoding runs ahead of showing.
    options = {"g": "5", "bf": "2", "x264-params": "b-adapt=0:open-gop=0:scenecut=0"}
    for suffix in (".mp4", ".mkv"):
        timeline = scanned(write_clip(tmp_path / f"clip{suffix}", options=options))
        assert timeline.keyframes == (0, 5, 10, 15)


def test_an_edit_list_hides_what_a_player_hides(tmp_path: Path) -> None:
    whole = write_clip(tmp_path / "whole.mp4", options={"g": "5"})
    timeline = scanned(trimmed(whole, tmp_path / "part.mp4", first=7, count=6, fps=10))
    assert timeline.times == pytest.approx([index / 10 for index in range(6)])
    # Decoding has to begin at frame 5, so frames 5 and 6 are stored and not shown; what lies behind
    # the edit may be left out by the reader of packets.
    assert timeline.hidden >= 2


def test_uneven_stamps_give_the_average_rate(tmp_path: Path) -> None:
    timeline = scanned(write_clip(tmp_path / "vfr.mp4", fps=100, frames=4, stamps=[0, 10, 15, 60]))
    assert timeline.times == pytest.approx([0.0, 0.1, 0.15, 0.6])
    # Three steps in 0.6 s.
    assert timeline.fps == pytest.approx(5.0)
    assert not timeline.is_even


def test_stamps_are_sorted_and_missing_or_double_ones_are_counted_out(clip: Path) -> None:
    assert stamped(clip, [2, 0, 1]).times == pytest.approx([0.0, 0.1, 0.2])
    unusable: list[list[int | None]] = [[0, None, 1], [0, 1, 1], [None, None, None]]
    for stamps in unusable:
        timeline = stamped(clip, stamps)
        assert timeline.times == pytest.approx([0.0, 0.1, 0.2])
        assert (timeline.stamps, timeline.keyframes) == ((), ())


def test_a_file_without_frames_or_without_its_tail_is_refused(tmp_path: Path, clip: Path) -> None:
    with pytest.raises(MediaError, match="has no frames"):
        stamped(clip, [])
    whole = write_clip(tmp_path / "whole.mkv", frames=40).read_bytes()
    (tmp_path / "half.mkv").write_bytes(whole[: len(whole) * 6 // 10])
    with pytest.raises(MediaError, match="copy the whole file"):
        scanned(tmp_path / "half.mkv")
