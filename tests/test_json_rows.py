"""Tests of json_rows.py: lines or an array, encodings, and rows that cannot be decoded."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import pytest
from PIL import Image

from avatar_core.errors import DataError
from avatar_core.json_rows import read_rows
from tests.media.clips import tone, write_clip

LONG = 16 << 20


def rows_of(path: Path, content: bytes) -> list[tuple[str, str, object]]:
    path.write_bytes(content)
    return [
        (
            row.place.removeprefix(str(path)),
            row.name,
            row.content if isinstance(row.content, dict) else str(row.content),
        )
        for row in read_rows(path)
    ]


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.json", "rows"])
def test_the_first_character_tells_lines_from_an_array(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    lines = rows_of(path, b'{"a": 1}\n\n  \n{"b": 2}')
    assert lines == [(":1", "line 1", {"a": 1}), (":4", "line 4", {"b": 2})]
    array = rows_of(path, b' \n[{"a": 1},\n{"b": 2}]\n')
    assert array == [(":2 (row 1)", "row 1", {"a": 1}), (":3 (row 2)", "row 2", {"b": 2})]
    assert rows_of(path, b"") == rows_of(path, b"\n \n") == rows_of(path, b"[]") == []


def test_a_byte_order_mark_and_windows_line_ends_are_accepted(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    expected = [(":1", "line 1", {"a": "ü"}), (":2", "line 2", {"b": 2})]
    assert rows_of(path, b'\xef\xbb\xbf{"a": "\xc3\xbc"}\r\n{"b": 2}\r\n') == expected
    array = rows_of(path, b'\xef\xbb\xbf[{"a": "\xc3\xbc"},\r\n{"b": 2}]')
    assert [(place, row) for place, _, row in array] == [
        (":1 (row 1)", {"a": "ü"}),
        (":2 (row 2)", {"b": 2}),
    ]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_other_encodings_are_refused(tmp_path: Path, encoding: str) -> None:
    for text in ('{"a": 1}\n{"b": 2}\n', '[{"a": 1}]'):
        with pytest.raises(DataError, match=r"rows:1: is UTF-16 text or no text at all"):
            rows_of(tmp_path / "rows", text.encode(encoding))


def test_one_bad_line_does_not_hide_the_next(tmp_path: Path) -> None:
    found = rows_of(tmp_path / "rows", b'{"a": 1}\n{"a": \n\xff\n[2]\n{"b": 2}\n')
    assert [(place, type(row)) for place, _, row in found] == [
        (":1", dict),
        (":2", str),
        (":3", str),
        (":4", str),
        (":5", dict),
    ]
    assert [str(row).split(" (")[0] for _, _, row in found[1:4]] == [
        "not valid JSON",
        "not UTF-8 text",
        "expected a JSON object, found list",
    ]


def test_a_pretty_printed_object_is_told_what_is_wanted(tmp_path: Path) -> None:
    first, *_ = rows_of(tmp_path / "rows", b'{\n  "a": 1\n}\n')
    assert first[0] == ":1"
    assert "give one object per line, or an array of objects" in str(first[2])


def test_a_line_without_end_costs_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    with path.open("wb") as file:
        file.write(b'{"a": 1}\n{"a": "')
        # A hole in the file reads as zero bytes and takes no room on the disk.
        file.seek(1 << 28, os.SEEK_CUR)
        file.write(b'"}\n{"b": 2}\n')
    tracemalloc.start()
    # The beginning must be text, or the file would be refused for its zero bytes.
    with pytest.raises(DataError, match="no text at all"):
        list(read_rows(path))
    with path.open("r+b") as file:
        file.seek(16)
        file.write(b"x" * (1 << 20))
    found = [(row.place, row.content) for row in read_rows(path)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [place.removeprefix(str(path)) for place, _ in found] == [":1", ":2", ":3"]
    assert str(found[1][1]) == f"line is longer than {LONG} bytes"
    assert found[2][1] == {"b": 2}
    assert peak < 4 * LONG


def test_what_is_no_file_of_rows(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone: cannot read: No such file"):
        list(read_rows(tmp_path / "gone"))
    with pytest.raises(DataError, match="is not a regular file; give a JSONL or JSON file"):
        list(read_rows(tmp_path))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="pipe: is not a regular file"):
        list(read_rows(tmp_path / "pipe"))


def test_media_are_no_files_of_rows(tmp_path: Path) -> None:
    write_clip(tmp_path / "clip.mp4", frames=4, sound=tone(0.4))
    write_clip(tmp_path / "sound.wav", frames=0, sound=tone(0.2), sound_codec="pcm_s16le")
    Image.new("RGB", (8, 8), "red").save(tmp_path / "still.png")
    originals = list(tmp_path.iterdir())
    for path in originals:
        with pytest.raises(DataError, match=":1: is UTF-16 text or no text at all"):
            list(read_rows(path))
    assert len(originals) == 3
