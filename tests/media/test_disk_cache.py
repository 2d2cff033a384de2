"""Clips on disk: what is read is what was written, or nothing; the budget; many processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from avatar_core.config.media import MediaConfig
from avatar_core.errors import UsageError
from avatar_core.media import disk_cache
from avatar_core.media.disk_cache import (
    STALE_SECONDS,
    VARIABLE,
    DiskCache,
    clip_name,
    configured_cache,
)
from avatar_core.types import Clip, MediaRef

REF = MediaRef("video", "a.mp4", 1.0, 2.0)
ROOT = Path(__file__).resolve().parents[2]


def clip(seed: int = 0, size: int = 28, sound: bool = True) -> Clip:
    draw = np.random.default_rng(seed)
    frames = draw.integers(0, 256, (2, size, size, 3)).astype(np.uint8)
    samples = draw.normal(size=100).astype(np.float32) if sound else None
    return Clip(REF, frames, (0.0, 0.1), 1 / 3, samples, 16000, "av", f"{seed:02x}")


def equal(one: Clip | None, other: Clip) -> bool:
    if one is None or one.frames is None or other.frames is None:
        return False
    if (one.sound is None) != (other.sound is None):
        return False
    heard = other.sound is None or np.array_equal(one.sound, other.sound)  # type: ignore[arg-type]
    rest = [(c.times, c.fps, c.sample_rate, c.reader, c.content_hash) for c in (one, other)]
    return heard and np.array_equal(one.frames, other.frames) and rest[0] == rest[1]


def length(tmp_path: Path, size: int = 28) -> int:
    """Bytes of the file of a clip."""
    DiskCache(tmp_path / "length", 1 << 20).put("a", clip(size=size))
    return (tmp_path / "length" / "a.clip").stat().st_size


def test_a_clip_is_read_as_it_was_written_by_another_cache_of_the_folder(tmp_path: Path) -> None:
    for sound in (True, False):
        one = clip(sound=sound)
        assert DiskCache(tmp_path, 1 << 20).put("name", one)
        other = MediaRef("video", "b.mp4")
        got = DiskCache(tmp_path, 1 << 20).get("name", other)
        assert got is not None and equal(got, one) and got.ref == other
    assert DiskCache(tmp_path, 1 << 20).get("another", REF) is None


def test_a_damaged_file_is_removed_wherever_it_is_damaged(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path, 1 << 20)
    cache.put("name", clip())
    path = tmp_path / "name.clip"
    whole = path.read_bytes()
    draw, refused = np.random.default_rng(0), 0
    places = [0, 31, 32, 35, 43, 44, 60, len(whole) - 1, *draw.integers(0, len(whole), 60)]
    lengths = [0, 1, 31, 32, 40, 44, 100, len(whole) - 1, *draw.integers(0, len(whole), 20)]
    damaged = [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in places]
    damaged += [whole[:at] for at in lengths] + [whole + b"x", b"", b"\x80\x04cos\nsystem\n"]
    for content in damaged:
        path.write_bytes(content)
        assert cache.get("name", REF) is None
        assert not path.exists()
        refused += 1
    assert refused == 68 + 28 + 3
    assert cache.put("name", clip()) and equal(cache.get("name", REF), clip())


def test_the_least_recently_used_leave_and_the_budget_holds(tmp_path: Path) -> None:
    each = length(tmp_path)
    # Room for three and a half.
    cache = DiskCache(tmp_path / "cache", each * 7 // 2)
    for number, name in enumerate("abc"):
        assert cache.put(name, clip(number))
        os.utime(cache.folder / f"{name}.clip", ns=(number + 1, number + 1))
    assert equal(cache.get("a", REF), clip(0))
    assert cache.put("d", clip(3))
    # b is the one not used since.
    held = {path.stem for path in cache.folder.iterdir()}
    assert held == {"a", "c", "d"}
    for number in range(20):
        assert cache.put(f"more{number}", clip(number))
        used = sum(path.stat().st_size for path in cache.folder.iterdir())
        assert used <= cache.budget
    assert number == 19 and equal(cache.get("more19", REF), clip(19))


def test_a_clip_beyond_the_budget_displaces_nothing(tmp_path: Path) -> None:
    each = length(tmp_path)
    cache = DiskCache(tmp_path / "cache", each)
    assert cache.put("a", clip())
    assert not cache.put("large", clip(size=56))
    # Its arrays would fit, its file does not.
    assert not DiskCache(tmp_path / "none", each - 1).put("a", clip())
    assert equal(cache.get("a", REF), clip())


def test_the_folder_is_looked_through_once_for_many_clips(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[Path] = []
    entries = disk_cache._entries

    def counted(folder: Path) -> list[Any]:
        looks.append(folder)
        return entries(folder)

    monkeypatch.setattr(disk_cache, "_entries", counted)
    cache = DiskCache(tmp_path / "cache", 320 * length(tmp_path))
    looks.clear()
    for number in range(100):
        cache.put(f"{number}", clip(number))
    # A part of 1/16 holds 20 of 320.
    assert len(looks) == 5


def test_a_disk_that_refuses_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    refused = DiskCache(tmp_path / "file", 1 << 20)
    assert not refused.put("a", clip())
    assert refused.get("a", REF) is None
    (tmp_path / "cache" / "a.clip").mkdir(parents=True)
    cache = DiskCache(tmp_path / "cache", 1 << 20)
    assert not cache.put("a", clip())
    assert cache.get("a", REF) is None
    assert [path.name for path in cache.folder.iterdir()] == ["a.clip"]


WRITER = """
import sys
from pathlib import Path
from avatar_core.media.disk_cache import DiskCache
from tests.media.test_disk_cache import LARGE
cache = DiskCache(Path(sys.argv[1]), int(sys.argv[2]))
for _ in range(int(sys.argv[3])):
    for number, clip in enumerate(LARGE):
        cache.put(f"{number}", clip)
        sys.stdout.write("x")
        sys.stdout.flush()
"""
LARGE = tuple(clip(number, size=224) for number in range(8))


def writer(folder: Path, budget: int, rounds: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(folder), str(budget), str(rounds)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def wait_for(process: subprocess.Popen[str], written: int) -> None:
    """Wait until a writer has written this many files."""
    assert process.stdout is not None
    assert process.stdout.read(written) == "x" * written


def test_a_killed_writer_leaves_whole_files_or_none(tmp_path: Path) -> None:
    draw, seen = np.random.default_rng(0), []
    cache = DiskCache(tmp_path, 1 << 30)
    for _ in range(3):
        with writer(tmp_path, 1 << 30, 10**6) as process:
            wait_for(process, 5)
            time.sleep(float(draw.uniform(0.0, 0.01)))
            process.send_signal(signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL
        got = [cache.get(f"{number}", REF) for number in range(8)]
        for one, whole in zip(got, LARGE, strict=True):
            assert one is None or equal(one, whole)
        seen.append(sum(one is not None for one in got))
    assert len(seen) == 3 and min(seen) >= 5
    # What was being written lies beside them, and goes when it is old.
    left = tmp_path / "0123.tmp"
    left.write_bytes(b"half")
    long_ago = time.time() - STALE_SECONDS - 60
    os.utime(left, (long_ago, long_ago))
    fresh = tmp_path / "4567.tmp"
    fresh.write_bytes(b"half")
    DiskCache(tmp_path, 1 << 30).put("next", clip())
    assert not left.exists() and fresh.exists()


def test_two_writers_and_a_reader_see_whole_clips_within_the_budget(tmp_path: Path) -> None:
    # Six of the eight clips fit, so that both evict what the other writes.
    budget = 6 * (2 * 224 * 224 * 3 + 1000)
    cache, read = DiskCache(tmp_path, budget), 0
    with writer(tmp_path, budget, 10) as one, writer(tmp_path, budget, 10) as two:
        wait_for(one, 6)
        while one.poll() is None or two.poll() is None:
            for number, whole in enumerate(LARGE):
                got = cache.get(f"{number}", REF)
                assert got is None or equal(got, whole)
                read += got is not None
    assert (one.returncode, two.returncode) == (0, 0) and read > 0
    cache.put("last", clip())
    assert sum(path.stat().st_size for path in tmp_path.glob("*.clip")) <= budget
    assert list(tmp_path.glob("*.tmp")) == []


def test_the_name_depends_on_all_that_the_clip_does(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = MediaConfig().model_dump(mode="json")
    request = ("video", None, 1.0, None, "auto")
    names = {clip_name("00", request, settings)}
    assert clip_name("00", request, dict(reversed(settings.items()))) in names
    names.add(clip_name("01", request, settings))
    for place in range(len(request)):
        names.add(clip_name("00", (*request[:place], "other", *request[place + 1 :]), settings))
    for name in settings:
        names.add(clip_name("00", request, settings | {name: "other"}))
    monkeypatch.setattr(disk_cache, "_made_by", lambda: {"code": "other"})
    names.add(clip_name("00", request, settings))
    assert len(names) == 1 + 1 + 5 + len(settings) + 1
    assert {len(name) for name in names} == {64}


def test_the_environment_says_how_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AVATAR_CACHE", str(tmp_path))
    assert all(configured_cache({VARIABLE: text}) is None for text in ("", "0", " 0 "))
    assert configured_cache({}) is None
    cache = configured_cache({VARIABLE: "1000"})
    assert cache is not None and (cache.folder, cache.budget) == (tmp_path / "media", 1000)
    for text in ("many", "-1", "1e9", "²"):
        with pytest.raises(UsageError, match="give a whole number of bytes, or 0 for none"):
            configured_cache({VARIABLE: text})
