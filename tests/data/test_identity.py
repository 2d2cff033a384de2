"""Tests of data/identity.py: what a default id depends on, and what it costs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from avatar_core.data.identity import PIECE, content_mark, default_id
from avatar_core.errors import DataError
from avatar_core.types import MediaRef

A, B = MediaRef("video", "a"), MediaRef("video", "b")


def test_an_id_depends_on_every_part_and_on_nothing_else() -> None:
    def mark(path: str) -> str:
        return {"a": "0", "b": "1", "copy of a": "0"}[path]

    first = default_id("What?", (), (A,), mark)
    assert len(first) == 32
    assert default_id("What?", (), (MediaRef("video", "copy of a"),), mark) == first
    others = {
        default_id("Who?", (), (A,), mark),
        default_id("What?", (), (B,), mark),
        default_id("What?", (), (A, B), mark),
        default_id("What?", (), (B, A), mark),
        default_id("What?", (), (MediaRef("audio", "a"),), mark),
        default_id("What?", ("x", "y"), (A,), mark),
        default_id("What?", ("xy",), (A,), mark),
        default_id("What?x", ("y",), (A,), mark),
    }
    assert len(others | {first}) == 9


@pytest.mark.parametrize("size", [3 * PIECE, 3 * PIECE + 1, 20 * PIECE + 7])
def test_a_mark_sees_the_size_and_three_pieces(tmp_path: Path, size: int) -> None:
    path = tmp_path / "clip"
    content = bytearray(os.urandom(size))
    path.write_bytes(content)
    first = content_mark(str(path))
    middle = (size - PIECE) // 2
    marks = set()
    # The ends of the three pieces.
    for place in (0, PIECE - 1, middle, middle + PIECE - 1, size - PIECE, size - 1):
        content[place] ^= 1
        path.write_bytes(content)
        marks.add(content_mark(str(path)))
        content[place] ^= 1
    path.write_bytes(content + b"x")
    marks.add(content_mark(str(path)))
    assert len(marks | {first}) == 8
    path.write_bytes(content)
    assert content_mark(str(path)) == first


def test_small_files_are_read_whole(tmp_path: Path) -> None:
    path, marks = tmp_path / "clip", set()
    for content in (b"", b"\0", b"\0\0", b"a\0", b"x" * 3 * PIECE):
        path.write_bytes(content)
        marks.add(content_mark(str(path)))
    # Neither the first, the middle nor the last piece begins or ends here.
    path.write_bytes(b"x" * (PIECE + 9) + b"y" + b"x" * (2 * PIECE - 10))
    marks.add(content_mark(str(path)))
    assert len(marks) == 6


def test_a_large_file_costs_no_more_than_a_small_one(tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.seek((1 << 36) - 1)
        file.write(b"x")
    # Reading 64 GiB would take a minute.
    assert len(content_mark(str(path))) == 32


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="gone: cannot read: No such file"):
        content_mark(str(tmp_path / "gone"))
