"""Tests of benchmarks/joined_file.py: parts read as one, from any place."""

from __future__ import annotations

import io
import os
import random
from pathlib import Path

import pytest

from avatar_core.benchmarks.joined_file import JoinedFile

WHOLE = bytes(range(256)) * 40


@pytest.fixture
def parts(tmp_path: Path) -> list[Path]:
    """Ten thousand bytes in parts of uneven length, one of them empty."""
    paths, start = [], 0
    for number, end in enumerate((1, 700, 700, 701, 9000, len(WHOLE))):
        path = tmp_path / str(number)
        path.write_bytes(WHOLE[start:end])
        paths.append(path)
        start = end
    return paths


def test_the_parts_read_as_the_whole(parts: list[Path]) -> None:
    with JoinedFile(parts) as raw, io.BufferedReader(raw, 64) as file:
        assert file.read() == WHOLE
        assert file.read(1) == b""


def test_any_stretch_is_that_of_the_whole(parts: list[Path]) -> None:
    rng, stretches = random.Random(0), 0
    with JoinedFile(parts) as raw, io.BufferedReader(raw, 512) as file:
        for _ in range(500):
            start, length = rng.randrange(len(WHOLE) + 20), rng.randrange(3000)
            assert file.seek(start) == start
            assert file.read(length) == WHOLE[start : start + length]
            stretches += 1
        assert file.seek(-10, os.SEEK_END) == len(WHOLE) - 10
        assert file.read() == WHOLE[-10:]
    assert stretches == 500


def test_places_before_the_start_and_missing_parts_are_refused(parts: list[Path]) -> None:
    with JoinedFile(parts) as raw:
        assert raw.readable() and raw.seekable() and not raw.writable()
        raw.seek(5)
        assert raw.seek(3, os.SEEK_CUR) == raw.tell() == 8
        with pytest.raises(OSError, match="seek before the start"):
            raw.seek(-9, os.SEEK_CUR)
    assert raw.closed
    with pytest.raises(FileNotFoundError):
        JoinedFile([parts[0], parts[0].with_name("gone")])
