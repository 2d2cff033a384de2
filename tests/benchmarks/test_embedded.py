"""Tests of benchmarks/embedded.py: one file for one content, whatever the annotation calls it."""

from __future__ import annotations

from pathlib import Path

import pytest

from avatar_core.benchmarks import embedded
from avatar_core.benchmarks.embedded import embedded_file, payload
from avatar_core.errors import DataError


def test_content_names_the_file(cache: Path) -> None:
    path = Path(embedded_file(b"one", "image", name="row 1"))
    assert path.read_bytes() == b"one" and path.suffix == ".png"
    assert path.is_relative_to(cache / "benchmarks")
    same = {
        embedded_file(b"one", "image", name="row 2", called="x.PNG"),
        embedded_file({"bytes": b"one", "path": "../../x.png"}, "image", name="row 3"),
    }
    assert same == {str(path)}
    other = {
        embedded_file(b"two", "image", name="row 1"),
        embedded_file(b"one", "image", name="row 1", called="x.jpg"),
    }
    assert len(other | same) == 3
    assert len([found for found in cache.rglob("*") if found.is_file()]) == 3


def test_a_file_is_written_once_and_a_torn_one_again() -> None:
    path = Path(embedded_file(b"one", "image", name="row 1"))
    first = path.stat().st_mtime_ns
    embedded_file(b"one", "image", name="row 1")
    assert path.stat().st_mtime_ns == first
    path.write_bytes(b"o")
    embedded_file(b"one", "image", name="row 1")
    assert path.read_bytes() == b"one"


@pytest.mark.parametrize(
    "cell", [None, b"", "text", {}, {"bytes": None, "path": "a.png"}, {"bytes": "x"}, [b"x"]]
)
def test_without_bytes_there_is_no_file(cache: Path, cell: object) -> None:
    with pytest.raises(DataError, match="qa: row 1 image: holds no bytes of a media file"):
        embedded_file(cell, "image", name="qa: row 1 image")
    assert not cache.exists()


@pytest.mark.parametrize("path", ["", "x", "x.", "x.svg", "x.png/y", "x.png\n", "x.mp4", "\0", 5])
def test_a_path_without_a_suffix_of_the_kind_does_not_decide(cache: Path, path: object) -> None:
    made = embedded_file({"bytes": b"x", "path": path}, "audio", name="row 1")
    assert Path(made).suffix == ".wav" and Path(made).is_relative_to(cache)


def test_the_cells_own_path_comes_first() -> None:
    cell = {"bytes": b"x", "path": "a.flac"}
    assert embedded_file(cell, "audio", name="row 1", called="a.mp3").endswith(".flac")


def test_parts_of_a_cell() -> None:
    cells: list[tuple[object, bytes, str | None]] = [
        (b"x", b"x", None),
        ("a.png", b"", "a.png"),
        ({"bytes": b"x", "path": "a.png"}, b"x", "a.png"),
        ({"bytes": None, "path": "a.png"}, b"", "a.png"),
        ({"bytes": "x", "path": 5}, b"", None),
        (None, b"", None),
    ]
    assert [payload(cell) for cell, _, _ in cells] == [(body, path) for _, body, path in cells]
    assert len(cells) == 6


def test_size_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "MAX_MEDIA_BYTES", 3)
    assert embedded_file(b"123", "audio", name="row 1")
    with pytest.raises(DataError, match="row 1: has 4 bytes, more than 3"):
        embedded_file(b"1234", "audio", name="row 1")
