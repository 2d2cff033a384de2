"""Tests of benchmarks/annotations.py: every shape of file, what is missing, what is too much."""

from __future__ import annotations

import datetime
import json
import os
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from avatar_core.benchmarks.annotations import (
    KEY,
    MAX_DOCUMENT_BYTES,
    Row,
    annotation_files,
    data_root,
    iter_rows,
)
from avatar_core.errors import DataError

MODULE = "avatar_core.benchmarks.annotations"
LAYOUT = """
mmvu/
  validation.json
"""
ROWS = [{"id": "x", "n": 1, "list": ["a"]}, {"id": "y", "n": None, "list": []}]


def saved(path: Path, document: object) -> Path:
    path.write_text(json.dumps(document))
    return path


def read_rows(path: Path) -> list[Row]:
    return list(iter_rows(path))


def fields(path: Path) -> list[dict[str, Any]]:
    return [dict(row.fields) for row in read_rows(path)]


def test_the_root_is_the_given_one_or_that_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AVATAR_DATA", raising=False)
    assert data_root(tmp_path, "mmvu", LAYOUT) == tmp_path
    with pytest.raises(DataError, match="mmvu: no directory is given; put the files"):
        data_root(None, "mmvu", LAYOUT)
    monkeypatch.setenv("AVATAR_DATA", str(tmp_path))
    with pytest.raises(DataError) as caught:
        data_root(None, "mmvu", LAYOUT)
    message = str(caught.value)
    assert message.startswith(f"mmvu: {tmp_path / 'mmvu'} is not a directory; ")
    # Both ways out, and the tree as the benchmark gives it.
    assert "--data-root" in message and "AVATAR_DATA" in message
    assert message.endswith("wanted:\n\nmmvu/\n  validation.json")
    (tmp_path / "mmvu").mkdir()
    assert data_root(None, "mmvu", LAYOUT) == tmp_path / "mmvu"


def test_the_first_pattern_that_matches_gives_its_files_in_order(tmp_path: Path) -> None:
    names = ("data/b-1.parquet", "data/a-0.parquet", "old.json", ".cache/c-2.parquet", "d/.e.json")
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = annotation_files(tmp_path, "none.json", "**/*.parquet", "*.json", layout=LAYOUT)
    assert [path.relative_to(tmp_path).as_posix() for path in found] == [
        "data/a-0.parquet",
        "data/b-1.parquet",
    ]
    assert annotation_files(tmp_path, "*.json", layout=LAYOUT) == [tmp_path / "old.json"]
    with pytest.raises(DataError, match=r"holds no x\.json or y\*; put .*wanted:\n\nmmvu/"):
        annotation_files(tmp_path, "x.json", "y*", layout=LAYOUT)


def test_matches_in_several_directories_are_copies_of_one_benchmark(tmp_path: Path) -> None:
    for name in ("a/b/qa.json", "c/qa.json"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    with pytest.raises(DataError, match=r"a/b and \S+/c both hold files that match \*\*/qa"):
        annotation_files(tmp_path, "**/qa.json", layout=LAYOUT)
    assert annotation_files(tmp_path, "*/qa.json", layout=LAYOUT) == [tmp_path / "c/qa.json"]


def test_a_part_of_a_numbered_set_is_refused(tmp_path: Path) -> None:
    (tmp_path / "test-00000-of-00002.parquet").touch()
    with pytest.raises(DataError, match="without test-00001-of-00002.parquet; fetch the rest"):
        annotation_files(tmp_path, "test-*.parquet", layout=LAYOUT)
    (tmp_path / "test-00001-of-00002.parquet").touch()
    assert len(annotation_files(tmp_path, "test-*.parquet", layout=LAYOUT)) == 2


def test_files_that_are_none_or_lie_elsewhere_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "root"
    (root / "dir.json").mkdir(parents=True)
    os.mkfifo(root / "pipe.json")
    with pytest.raises(DataError, match=r"holds no \*\.json"):
        annotation_files(root, "*.json", layout=LAYOUT)
    saved(tmp_path / "secret.json", ROWS)
    (root / "link.json").symlink_to(tmp_path / "secret.json")
    with pytest.raises(DataError, match="'link.json' leads outside"):
        annotation_files(root, "*.json", layout=LAYOUT)
    (root / "link.json").unlink()
    monkeypatch.setattr(f"{MODULE}.MAX_ANNOTATION_FILES", 3)
    for n in range(4):
        (root / f"{n}.json").touch()
    with pytest.raises(DataError, match=r"more than 3 files match \*\.json"):
        annotation_files(root, "*.json", layout=LAYOUT)
    for name in ("pipe.json", "dir.json", "gone.json", "gone.parquet", "dir.parquet"):
        with pytest.raises(DataError, match="is not a regular file"):
            read_rows(root / name)


def test_rows_of_a_list_and_of_lines(tmp_path: Path) -> None:
    path = saved(tmp_path / "qa.json", ROWS)
    assert fields(path) == ROWS
    assert [row.place for row in read_rows(path)] == ["qa.json: row 1", "qa.json: row 2"]
    lines = tmp_path / "qa.jsonl"
    lines.write_text("".join(json.dumps(row) + "\n\n" for row in ROWS))
    assert fields(lines) == ROWS
    assert [row.place for row in read_rows(lines)] == ["qa.jsonl: line 1", "qa.jsonl: line 3"]
    lines.write_text(json.dumps(ROWS[0]))
    assert fields(lines) == [ROWS[0]]


def test_rows_of_columns(tmp_path: Path) -> None:
    columns = {"id": ["x", "y"], "n": [1, None], "list": [["a"], []]}
    path = saved(tmp_path / "columns.json", columns)
    assert fields(path) == ROWS
    assert [row.place for row in read_rows(path)] == ["columns.json: row 1", "columns.json: row 2"]
    assert fields(saved(path, {})) == fields(saved(path, {"id": [], "n": []})) == []
    saved(path, {"id": ["x", "y"], "n": [1]})
    with pytest.raises(DataError, match=r"columns of different lengths \(id 2, n 1\); mend"):
        read_rows(path)


def test_rows_of_an_object_of_objects_keep_their_key(tmp_path: Path) -> None:
    path = saved(tmp_path / "count.json", {"0": {"a": 1}, "x y": {"a": 2}})
    assert fields(path) == [{"a": 1, KEY: "0"}, {"a": 2, KEY: "x y"}]
    assert read_rows(path)[1].place == "count.json: row 2 ('x y')"
    path.write_bytes(b"\xef\xbb\xbf \n" + json.dumps({"0": {"a": "ü"}}, indent=2).encode())
    assert fields(path) == [{"a": "ü", KEY: "0"}]
    saved(path, {"0": {"a": 1}, "1": [2]})
    with pytest.raises(DataError, match=r"row 2 \('1'\): expected a JSON object, found list"):
        read_rows(path)


def test_rows_of_a_table(tmp_path: Path) -> None:
    day = datetime.date(2020, 1, 2)
    rows: list[dict[str, Any]] = [
        {"n": 1, "x": 1.5, "t": "a", "o": ["p", "q"], "m": {"bytes": b"\0\1", "path": "a.wav"}},
        {"n": None, "x": float("nan"), "t": None, "o": None, "m": {"bytes": b"", "path": None}},
    ]
    table = pyarrow.Table.from_pylist([{**row, "when": day} for row in rows])
    path = tmp_path / "test-00000-of-00001.parquet"
    parquet.write_table(table, path)
    found = fields(path)
    when = {"when": "2020-01-02"}
    # A missing whole number leaves the others whole; NaN is a missing number.
    assert found == [{**rows[0], **when}, {**rows[1], "x": None, **when}]
    assert [type(found[0][name]) for name in "nxtom"] == [int, float, str, list, dict]
    assert read_rows(path)[1].place == "test-00000-of-00001.parquet: row 2"


def test_a_table_written_by_pandas_reads_alike(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    path = tmp_path / "a.parquet"
    pandas.DataFrame(ROWS).to_parquet(path)
    assert fields(path) == [{"id": "x", "n": 1.0, "list": ["a"]}, ROWS[1]]


def test_media_of_a_table_are_not_all_held_at_once(tmp_path: Path) -> None:
    size, count = 1 << 18, 96
    path = tmp_path / "media.parquet"
    schema = pyarrow.schema([("audio", pyarrow.binary())])
    with parquet.ParquetWriter(path, schema, compression="none", use_dictionary=False) as writer:
        for _ in range(count):
            writer.write_table(pyarrow.table({"audio": [os.urandom(size)]}, schema))
    before = pyarrow.total_allocated_bytes()
    tracemalloc.start()
    lengths, most = [], 0
    for row in iter_rows(path):
        lengths.append(len(row.fields["audio"]))
        most = max(most, pyarrow.total_allocated_bytes() - before)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert lengths == [size] * count
    # Two batches of 16 rows at most on either side, not 96.
    assert most < 40 * size and peak < 40 * size


def deep(levels: int) -> bytes:
    return b'{"a":' * levels + b"1" + b"}" * levels


BOMBS = {
    "deep.json": deep(100_000),
    "deep.jsonl": deep(100_000),
    "deep_list.json": b"[" + deep(100_000) + b"]",
    "nested.json": b'{"0": ' + deep(70) + b"}",
    "brackets.json": b'{"0": ' + b"[" * 200_000,
    "wide.json": b'{"a": [' + b"{}," * 1_000_000 + b"{}]}",
    "wide_rows.json": b"[" + b"{}," * 300_000 + b"{}]",
    "wide_lines.jsonl": b"{}\n" * 300_000,
    "digits.json": b'{"a": [' + b"9" * 1_000_000 + b"]}",
    "infinite.json": b'{"a": {"b": 1e999}}',
    "nan.json": b'{"a": [NaN]}',
    "twice.json": b'{"a": {"b": 1, "b": 2}}',
    "torn.json": b'{"a": {"b": 1}',
    "torn_list.json": b'[{"a": 1}, {"a"',
    "text.json": b'{"a": "' + b"x" * (MAX_DOCUMENT_BYTES + 1) + b'"}',
    "long_row.json": b'[{"a": "' + b"x" * (17 << 20) + b'"}]',
    "half.json": b'{"a": {"b": "\\ud800"}}',
    "latin.json": b'{"a": {"b": "\xfc"}}',
    "utf16.json": '{"a": {"b": 1}}'.encode("utf-16"),
    "numbers.json": b"[1, 2, 3]",
    "word.json": b'"word"',
    "empty_text.parquet": b"",
    "noise.parquet": b"PAR1" + b"\xff" * 100 + b"\x64\0\0\0PAR1",
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_goes_off_in_a_message(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(BOMBS[name])
    start = time.process_time()
    with pytest.raises(DataError) as caught:
        read_rows(path)
    # A second is the aim; twice that leaves room for a machine under load.
    assert time.process_time() - start < 2
    assert name in str(caught.value) and len(str(caught.value)) < 400
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["wide.json", "wide_rows.json", "wide_lines.jsonl", "text.json"])
def test_a_bomb_takes_no_more_memory_than_stated(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(BOMBS[name])
    tracemalloc.start()
    with pytest.raises(DataError):
        read_rows(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200e6


def test_a_hole_of_a_file_is_refused_by_its_size(tmp_path: Path) -> None:
    for name in ("hole.json", "hole.jsonl"):
        with (tmp_path / name).open("wb") as file:
            file.write(b"[")
            file.truncate(1 << 40)
        with pytest.raises(DataError, match="has 1099511627776 bytes, more than 268435456"):
            read_rows(tmp_path / name)


def test_a_table_of_repeated_rows_is_refused_by_its_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "many.parquet"
    parquet.write_table(pyarrow.table({"a": pyarrow.repeat("x", 2_000_000)}), path)
    assert path.stat().st_size < 10_000
    with pytest.raises(DataError, match="has 2000000 rows; no benchmark has that many"):
        read_rows(path)
    monkeypatch.setattr(f"{MODULE}.SMALL", 1 << 20)
    text = pyarrow.repeat("x" * 3_000_000, 1)
    parquet.write_table(pyarrow.table({"a": text}), path, compression="zstd", use_dictionary=False)
    assert path.stat().st_size < 20_000
    with pytest.raises(DataError, match="unpacks to 30000.. bytes, more than 64 times its size"):
        read_rows(path)


@pytest.mark.parametrize("cut", [10, 200, -30, -9, -4])
def test_a_damaged_table_is_a_message(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "cut.parquet"
    parquet.write_table(pyarrow.table({"a": ["x" * 50, "y" * 70] * 20}), path)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(DataError, match=r"cut\.parquet"):
        read_rows(path)


def test_text_of_a_table_that_is_none_is_a_message(tmp_path: Path) -> None:
    path = tmp_path / "bad.parquet"
    bad = pyarrow.array([b"\xff\xfe"]).view(pyarrow.string())
    parquet.write_table(pyarrow.table({"a": bad}), path)
    with pytest.raises(DataError, match=r"bad\.parquet: cannot be read as Parquet behind row 0"):
        read_rows(path)
