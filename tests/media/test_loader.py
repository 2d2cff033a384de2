from __future__ import annotations

import os
import shutil
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from avatar_core.config.media import MediaConfig
from avatar_core.errors import MediaError, NoSoundError, UsageError
from avatar_core.media import MediaLoader, pool
from avatar_core.media.decode import decode
from avatar_core.types import Clip, MediaRef
from tests.media.clips import frame_number, numbered_frame, tone, write_clip, write_pictures


@pytest.fixture(autouse=True)
def counting(monkeypatch):
    """A worker that leaves a mark beside a file named mark… each time it decodes it."""
    monkeypatch.setattr(pool, "WORKER_COMMAND", (sys.executable, "-m", "tests.media.faulty_worker"))


def decodes(path: Path) -> int:
    mark = Path(f"{path}.decoded")
    return len(mark.read_text()) if mark.exists() else 0


def test_a_clip_arrives_whole(tmp_path):
    path = write_clip(tmp_path / "clip.mp4", frames=20, sound=tone(2))
    ref = MediaRef("video", str(path))
    with MediaLoader(MediaConfig()) as loader:
        clip = loader.load(ref)
    assert clip.frames is not None and clip.sound is not None
    assert (clip.frames.dtype, clip.frames.shape) == (np.uint8, (4, 56, 56, 3))
    assert (clip.sound.dtype, clip.sound.shape, clip.sample_rate) == (np.float32, (32000,), 16000)
    assert [frame_number(frame) for frame in clip.frames] == [0, 6, 13, 19]
    assert (clip.ref, clip.reader, len(clip.content_hash)) == (ref, "av", 128)
    # 20 frames at 10 per second, 4 kept.
    assert clip.times == (0.0, 0.6, 1.3, 1.9) and clip.fps == 2.0


def test_sound_follows_the_mode(tmp_path):
    silent = MediaRef("video", str(write_clip(tmp_path / "silent.mp4")))
    sounding = MediaRef("video", str(write_clip(tmp_path / "sounding.mp4", sound=tone(2))))
    with MediaLoader(MediaConfig(audio="on")) as loader:
        with pytest.raises(NoSoundError, match=r"silent\.mp4: has no sound track"):
            loader.load(silent)
        assert loader.load(silent, audio="auto").sound is None
        assert loader.load(silent, audio="off").sound is None
        assert loader.load(sounding, audio="off").sound is None
        assert loader.load(sounding).sound is not None


def test_relative_paths_are_those_of_the_parent(tmp_path, monkeypatch):
    write_clip(tmp_path / "clip.mp4")
    monkeypatch.chdir(tmp_path)
    with MediaLoader(MediaConfig()) as loader:
        assert loader.load(MediaRef("video", "clip.mp4")).ref.path == "clip.mp4"
        with pytest.raises(MediaError, match=r"^none\.mp4: cannot be opened \(No such file"):
            loader.load(MediaRef("video", "none.mp4"))


def test_many_are_kept_in_order_with_their_errors(tmp_path):
    files = [write_clip(tmp_path / f"{n}.mp4", frames=10 + 2 * n) for n in range(4)]
    (tmp_path / "text.mp4").write_text("not a video " * 100)
    refs = [MediaRef("video", str(path)) for path in files]
    refs[2:2] = [MediaRef("video", str(tmp_path / "text.mp4")), MediaRef("video", "/nowhere.mp4")]
    with MediaLoader(MediaConfig(workers=2)) as loader:
        outcomes = loader.load_many(refs)
    assert [isinstance(outcome, Clip) for outcome in outcomes] == [
        True,
        True,
        False,
        False,
        True,
        True,
    ]
    assert [outcome.ref.path for outcome in outcomes if isinstance(outcome, Clip)] == [
        str(f) for f in files
    ]
    assert all(isinstance(outcomes[index], MediaError) for index in (2, 3))


def test_a_prefetched_file_is_decoded_once(tmp_path):
    for cache_bytes in (1 << 20, 0):
        path = write_clip(tmp_path / f"mark{cache_bytes}.mp4")
        ref = MediaRef("video", str(path))
        with MediaLoader(MediaConfig(cache_bytes=cache_bytes)) as loader:
            loader.prefetch([ref, ref, MediaRef("video", "/nowhere.mp4")])
            clips = loader.load_many([ref, ref])
        assert all(isinstance(clip, Clip) for clip in clips) and decodes(path) == 1


def test_what_changes_the_result_is_decoded_anew(tmp_path):
    path = write_clip(tmp_path / "mark.mp4", sound=tone(2))
    name = str(path)
    with MediaLoader(MediaConfig()) as loader:
        for count, (ref, audio) in enumerate(
            [
                (MediaRef("video", name), None),
                (MediaRef("video", name, start=0.5), None),
                (MediaRef("video", name, end=1.0), None),
                (MediaRef("audio", name), None),
                (MediaRef("video", name), "off"),
            ],
            start=1,
        ):
            first, again = loader.load(ref, audio=audio), loader.load(ref, audio=audio)
            assert decodes(path) == count
            assert first.times == again.times
        assert count == 5
        write_clip(path, frames=30)
        os.utime(path, ns=(1, 1))
        assert len(loader.load(MediaRef("video", name)).frames) == 6 and decodes(path) == 6


def test_the_frame_of_a_moment_is_decoded_once_for_each_moment(tmp_path):
    path = write_clip(tmp_path / "mark.mp4")
    with MediaLoader(MediaConfig()) as loader:
        for count, (moment, number) in enumerate([(0.25, 2), (1.5, 15), (0.0, 0)], start=1):
            ref = MediaRef("image", str(path), start=moment)
            first, again = loader.load(ref), loader.load(ref)
            assert decodes(path) == count
            assert [frame_number(clip.frames[0]) for clip in (first, again)] == [number] * 2
            assert (first.frames.shape, first.times, first.ref) == (
                (1, 56, 56, 3),
                (number / 10,),
                ref,
            )
        assert count == 3


def test_a_folder_is_decoded_anew_when_rate_window_or_a_picture_changes(tmp_path, monkeypatch):
    folder = write_pictures(tmp_path / "mark", 9)
    monkeypatch.chdir(tmp_path)
    requests = [
        (MediaRef("video", "mark", fps=3.0), [1, 4, 6, 9]),
        (MediaRef("video", "mark", 1.0, 2.0, fps=3.0), [4, 5, 6, 7]),
        # Pictures 1 to 5 lie in the first second: round(i * 4 / 3) and one.
        (MediaRef("video", "mark", 0.0, 1.0, fps=4.0), [1, 2, 4, 5]),
    ]
    with MediaLoader(MediaConfig(max_frames=4)) as loader:
        for count, (ref, numbers) in enumerate(requests, start=1):
            for clip in loader.load_many([ref, ref]):
                assert isinstance(clip, Clip) and clip.frames is not None
                assert [frame_number(frame) for frame in clip.frames] == numbers
                assert (clip.ref, clip.sound, clip.reader) == (ref, None, "image")
            assert decodes(folder) == count
        assert count == 3
        Image.fromarray(numbered_frame(77, 56, 56)).save(folder / "00004.png")
        changed = loader.load(requests[0][0])
        assert [frame_number(frame) for frame in changed.frames] == [1, 77, 6, 9]
        assert decodes(folder) == 4


def test_a_folder_is_refused_before_a_worker_sees_it(tmp_path):
    folder = write_pictures(tmp_path / "mark", 2)
    (folder / "00003.png").symlink_to(folder / "00001.png")
    with MediaLoader(MediaConfig()) as loader:
        with pytest.raises(MediaError, match=r"mark: holds 00003\.png, which is a link"):
            loader.load(MediaRef("video", str(folder), fps=3.0))
        assert all(worker.pid is None for worker in loader._pool._workers)


def test_equal_content_under_another_name_is_shared_once_it_is_known(tmp_path):
    path = write_clip(tmp_path / "mark.mp4")
    twin = tmp_path / "mark_twin.mp4"
    shutil.copy(path, twin)
    with MediaLoader(MediaConfig()) as loader:
        one, two = (loader.load(MediaRef("video", str(p))) for p in (path, twin))
        assert one.content_hash == two.content_hash and len(loader._cache) == 1
        assert two.ref.path == str(twin)


def test_a_caller_may_write_to_its_arrays(tmp_path):
    ref = MediaRef("video", str(write_clip(tmp_path / "clip.mp4", sound=tone(1))))
    with MediaLoader(MediaConfig()) as loader:
        spoilt, kept = loader.load_many([ref, ref])
        assert isinstance(spoilt, Clip) and isinstance(kept, Clip)
        expected = kept.frames.copy()
        spoilt.frames[:] = 7
        spoilt.sound[:] = 7
        again = loader.load(ref)
    assert np.array_equal(again.frames, expected) and np.array_equal(kept.frames, expected)
    assert abs(again.sound).max() <= 1


def test_construction_starts_nothing_and_closing_twice_is_harmless():
    before = threading.active_count()
    loader = MediaLoader(MediaConfig(workers=64))
    assert threading.active_count() == before
    assert all(worker.pid is None for worker in loader._pool._workers)
    loader.close()
    loader.close()


def test_a_worker_resizes_as_this_process_does(tmp_path):
    ref = MediaRef("video", str(write_clip(tmp_path / "wide.mp4", size=(240, 426))))
    with MediaLoader(MediaConfig(deadline_seconds=5.0)) as loader:
        clip = loader.load(ref)
    assert np.array_equal(clip.frames, decode(ref, MediaConfig(), "auto").frames)
    # 240 x 426 shrinks by sqrt(102240 / 50176) = 1.427 to 6 by 10 patches of 28.
    assert clip.frames.shape == (4, 168, 280, 3)


def test_a_later_loader_takes_clips_from_disk(tmp_path, monkeypatch):
    monkeypatch.setenv("AVATAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("AVATAR_MEDIA_CACHE_BYTES", str(1 << 20))
    path = write_clip(tmp_path / "mark.mp4", sound=tone(2))
    folder = write_pictures(tmp_path / "marks", 9)
    refs = [MediaRef("video", str(path)), MediaRef("video", str(folder), fps=3.0)]
    clips = []
    # Neither workers nor deadline nor memory change what is loaded.
    for settings in ({}, {"workers": 2, "deadline_seconds": 9.0, "cache_bytes": 1}):
        with MediaLoader(MediaConfig(**settings)) as loader:
            clips.append([loader.load(ref) for ref in refs])
            started = any(worker.pid is not None for worker in loader._pool._workers)
        assert started is (settings == {})
    assert (decodes(path), decodes(folder)) == (1, 1)
    for one, other in zip(*clips, strict=True):
        assert np.array_equal(one.frames, other.frames) and one.times == other.times
        assert one.frames is not other.frames and other.frames.flags.writeable
        assert (one.sound is None) == (other.sound is None)
    assert np.array_equal(clips[0][0].sound, clips[1][0].sound)
    # Other frames, another use of sound, other content under the same name.
    for count, settings in enumerate(({"max_frames": 2, "min_frames": 2}, {"audio": "off"}), 2):
        with MediaLoader(MediaConfig(**settings)) as loader:
            loader.load(refs[0])
        assert decodes(path) == count
    write_clip(path, frames=30)
    with MediaLoader(MediaConfig()) as loader:
        assert len(loader.load(refs[0]).frames) == 6
    assert decodes(path) == 4


def test_a_damaged_file_on_disk_is_decoded_anew(tmp_path, monkeypatch):
    monkeypatch.setenv("AVATAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("AVATAR_MEDIA_CACHE_BYTES", str(1 << 20))
    path = write_clip(tmp_path / "mark.mp4")
    for count in (1, 2):
        with MediaLoader(MediaConfig()) as loader:
            clip = loader.load(MediaRef("video", str(path)))
        assert [frame_number(frame) for frame in clip.frames] == [0, 6, 13, 19]
        assert decodes(path) == count
        (kept,) = (tmp_path / "cache" / "media").iterdir()
        content = bytearray(kept.read_bytes())
        content[len(content) // 2] ^= 1
        kept.write_bytes(content)


@pytest.mark.parametrize(("number", "settings"), [("0", {}), ("1000000", {"cache_bytes": 0})])
def test_nothing_is_kept_on_disk_unless_it_is_asked_for(tmp_path, monkeypatch, number, settings):
    monkeypatch.setenv("AVATAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("AVATAR_MEDIA_CACHE_BYTES", number)
    path = write_clip(tmp_path / "mark.mp4")
    with MediaLoader(MediaConfig(**settings)) as loader:
        loader.load(MediaRef("video", str(path)))
    assert decodes(path) == 1 and not (tmp_path / "cache").exists()


def test_a_budget_that_is_no_number_is_said_at_once(monkeypatch):
    monkeypatch.setenv("AVATAR_MEDIA_CACHE_BYTES", "plenty")
    with pytest.raises(UsageError, match="AVATAR_MEDIA_CACHE_BYTES=plenty: give a whole number"):
        MediaLoader(MediaConfig())
