"""Tests of benchmarks/embedded.py: one file for one content, whatever the annotation calls it."""

from __future__ import annotations

from pathlib import Path

import pytest

from avatar_core.benchmarks import embedded
from avatar_core.benchmarks.embedded import embedded_file
from avatar_core.errors import DataError


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AVATAR_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_content_names_the_file(cache: Path) -> None:
    path = Path(embedded_file(b"one", name="row 1", suffix=".PNG"))
    assert path.read_bytes() == b"one" and path.suffix == ".png"
    assert path.is_relative_to(cache / "benchmarks")
    same = {
        embedded_file(b"one", name="row 2", suffix=".png"),
        embedded_file({"bytes": b"one", "path": "../../x.png"}, name="row 3", suffix=".png"),
    }
    assert same == {str(path)}
    other = {
        embedded_file(b"two", name="row 1", suffix=".png"),
        embedded_file(b"one", name="row 1", suffix=".jpg"),
    }
    assert len(other | same) == 3
    assert len([found for found in cache.rglob("*") if found.is_file()]) == 3


def test_a_file_is_written_once_and_a_torn_one_again() -> None:
    path = Path(embedded_file(b"one", name="row 1", suffix=".png"))
    first = path.stat().st_mtime_ns
    embedded_file(b"one", name="row 1", suffix=".png")
    assert path.stat().st_mtime_ns == first
    path.write_bytes(b"o")
    embedded_file(b"one", name="row 1", suffix=".png")
    assert path.read_bytes() == b"one"


@pytest.mark.parametrize(
    "payload", [None, b"", "text", {}, {"bytes": None, "path": "a.png"}, {"bytes": "x"}, [b"x"]]
)
def test_without_bytes_there_is_no_file(cache: Path, payload: object) -> None:
    with pytest.raises(DataError, match="qa: row 1 image: holds no bytes of a media file"):
        embedded_file(payload, name="qa: row 1 image", suffix=".png")
    assert not cache.exists()


@pytest.mark.parametrize(
    "suffix", ["", "png", ".", "/x.png", ".p/ng", ".png\n", "..png", ".\0", ".toolong"]
)
def test_a_suffix_is_a_dot_and_few_letters(cache: Path, suffix: str) -> None:
    with pytest.raises(DataError, match="row 1: .* is no suffix of a media file"):
        embedded_file(b"x", name="row 1", suffix=suffix)
    assert not cache.exists()


def test_size_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "MAX_MEDIA_BYTES", 3)
    assert embedded_file(b"123", name="row 1", suffix=".wav")
    with pytest.raises(DataError, match="row 1: has 4 bytes, more than 3"):
        embedded_file(b"1234", name="row 1", suffix=".wav")
