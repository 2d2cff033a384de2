"""The annotation files of a benchmark and their rows, however a benchmark writes them.

They come from others and are taken for hostile: what is read stays below the root, and files, rows
and nesting have limits.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow
from pyarrow import parquet

from avatar_core.benchmarks.shards import check_shards
from avatar_core.errors import DataError
from avatar_core.files import contained_path, read_errors
from avatar_core.json_rows import read_rows as read_json_rows
from avatar_core.strict_json import RowDecoder

KEY = "__key__"
"""Field that holds a row's key, in a file whose rows are the values of one object."""
MAX_ROWS = 50_000
"""Ten times as many as the largest benchmark has."""
MAX_TEXT_BYTES = 256 << 20
"""Of a file of JSON Lines, or of one array."""
MAX_DOCUMENT_BYTES = 32 << 20
"""Of a file that holds one JSON object, which is decoded in one piece."""
MAX_MARKS = 1_000_000
"""Commas and brackets of such a file; each costs a hundred bytes or so once it is decoded."""
MAX_EXPANSION = 64
"""Greatest ratio of what a Parquet file unpacks to, by its own word, to its size."""
MAX_ANNOTATION_FILES = 1000
SMALL = 64 << 20
"""What any of them may unpack to."""
_BATCH_ROWS = 16
_KINDS = (bool, int, float, str, bytes, type(None))
_PARQUET_ERRORS = (pyarrow.ArrowException, OSError, OverflowError, RecursionError, ValueError)
_MARK = b"\xef\xbb\xbf"


class Row(NamedTuple):
    """One row of an annotation file."""

    place: str
    """File and row, for messages: "validation.json: row 3"."""
    fields: Mapping[str, Any]
    """Values by name, as JSON has them; media columns are bytes, or objects of bytes and path."""


def wanted(name: str, layout: str) -> str:
    """The end of a message about files that are not there: the ways out, and the tree."""
    return (
        f"put the files of {name} there, name their directory by --data-root, or set AVATAR_DATA "
        f"to the directory that holds {name}; wanted:\n\n{layout.strip()}"
    )


def default_root(name: str) -> Path | None:
    """The directory of a benchmark below $AVATAR_DATA; `None` when that is not set."""
    base = os.environ.get("AVATAR_DATA")
    return Path(base) / name if base else None


def data_root(root: Path | None, name: str, layout: str) -> Path:
    """The directory of a benchmark's files.

    Args:
        root: the directory; `None` for `default_root(name)`.
        name: key of the benchmark.
        layout: the tree that it should hold, for the message.

    Raises:
        DataError: it is not a directory.
    """
    root = default_root(name) if root is None else root
    if root is None:
        raise DataError(f"{name}: no directory is given; {wanted(name, layout)}")
    if not root.is_dir():
        raise DataError(f"{name}: {root} is not a directory; {wanted(name, layout)}")
    return root


def annotation_files(root: Path, *patterns: str, layout: str) -> list[Path]:
    """Files of the first pattern that any file matches, sorted by path.

    Args:
        root: directory of the benchmark.
        patterns: relative to it, as `Path.glob` takes them; hidden directories are passed over.
        layout: the tree that it should hold, for the message.

    Raises:
        DataError: no file matches, more than `MAX_ANNOTATION_FILES` do, they lie in several
            directories or are a part of a numbered set, or one is a link that leads outside.
    """
    for pattern in patterns:
        with read_errors(root):
            matches = (path for path in root.glob(pattern) if path.is_file())
            visible = (path for path in matches if not _hidden(path.relative_to(root)))
            found = sorted(islice(visible, MAX_ANNOTATION_FILES + 1))
        if len(found) > MAX_ANNOTATION_FILES:
            raise DataError(
                f"{root}: more than {MAX_ANNOTATION_FILES} files match {pattern}; "
                "give the directory of one benchmark"
            )
        for path in found:
            contained_path(root, str(path.relative_to(root)))
        if found:
            _check_one_directory(found, pattern)
            check_shards(found)
            return found
    raise DataError(f"{root}: holds no {' or '.join(patterns)}; {wanted('the benchmark', layout)}")


def _check_one_directory(found: list[Path], pattern: str) -> None:
    """Refuse a pattern's matches in several directories: they are copies of one benchmark."""
    first, *others = dict.fromkeys(path.parent for path in found)
    if others:
        raise DataError(
            f"{first} and {others[0]} both hold files that match {pattern}; remove all but one copy"
        )


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def annotation_rows(root: Path, *patterns: str, layout: str) -> Iterator[Row]:
    """The rows of a benchmark's annotation files in order; see `annotation_files`, `iter_rows`."""
    for path in annotation_files(root, *patterns, layout=layout):
        yield from iter_rows(path)


def iter_rows(path: Path) -> Iterator[Row]:
    """The rows of a file in order, few of them in memory: for files that embed their media.

    Args:
        path: `.parquet`; else JSON: an array of objects, one object a line (`.jsonl`), one object
            of equally long columns, or one object of objects, whose keys become the field `KEY`.

    Raises:
        DataError: the file cannot be read or is too large, or a row is not an object; names file
            and row.
    """
    rows = _parquet_rows(path) if path.suffix == ".parquet" else _json_rows(path)
    for count, row in enumerate(rows):
        if count == MAX_ROWS:
            raise DataError(f"{path}: has more than {MAX_ROWS} rows; no benchmark has that many")
        yield row


def _json_rows(path: Path) -> Iterator[Row]:
    with read_errors(path):
        if not path.is_file():
            raise DataError(f"{path}: is not a regular file; give a JSON or Parquet file")
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(1 << 16).removeprefix(_MARK).lstrip()
    if size > MAX_TEXT_BYTES:
        raise DataError(f"{path}: has {size} bytes, more than {MAX_TEXT_BYTES}; cut it in parts")
    if path.suffix != ".jsonl" and head.startswith(b"{"):
        yield from _document_rows(path)
        return
    for row in read_json_rows(path):
        place = f"{path.name}: {row.name}"
        if isinstance(row.content, DataError):
            raise DataError(f"{place}: {row.content}")
        yield Row(place, row.content)


def _document_rows(path: Path) -> list[Row]:
    document = _document(path)
    values = document.values()
    if values and all(isinstance(value, list) for value in values):
        lengths = {name: len(column) for name, column in document.items()}
        if len(set(lengths.values())) > 1:
            shown = ", ".join(
                f"{name[:40]} {length}" for name, length in islice(lengths.items(), 8)
            )
            raise DataError(f"{path.name}: columns of different lengths ({shown}); mend the file")
        return [
            Row(f"{path.name}: row {number}", dict(zip(document, row, strict=True)))
            for number, row in enumerate(zip(*values, strict=True), start=1)
        ]
    rows = []
    for number, (key, value) in enumerate(document.items(), start=1):
        place = f"{path.name}: row {number} ({key[:60]!r})"
        if not isinstance(value, dict):
            raise DataError(f"{place}: expected a JSON object, found {type(value).__name__}")
        rows.append(Row(place, {**value, KEY: key}))
    return rows


def _document(path: Path) -> Mapping[str, Any]:
    with read_errors(path), path.open("rb") as file:
        content = file.read(MAX_DOCUMENT_BYTES + 1).removeprefix(_MARK)
    if len(content) > MAX_DOCUMENT_BYTES:
        raise DataError(
            f"{path}: is one JSON object of more than {MAX_DOCUMENT_BYTES} bytes; "
            "save its rows as JSON Lines"
        )
    if sum(map(content.count, (b",", b"[", b"{"))) > MAX_MARKS:
        raise DataError(
            f"{path}: is one JSON object of more than {MAX_MARKS} values; "
            "save its rows as JSON Lines"
        )
    document = RowDecoder().line(content)
    if isinstance(document, DataError):
        raise DataError(f"{path.name}: {document}")
    return document


def _parquet_rows(path: Path) -> Iterator[Row]:
    number = 0
    with read_errors(path):
        if not path.is_file():
            raise DataError(f"{path}: is not a regular file; give a Parquet file")
        try:
            # Buffered and unmapped: a file of several gigabytes costs a few megabytes at a time.
            with parquet.ParquetFile(path, buffer_size=1 << 20, pre_buffer=False) as file:
                _check_parquet(path, file.metadata)
                for batch in file.iter_batches(batch_size=_BATCH_ROWS):
                    for fields in batch.to_pylist():
                        number += 1
                        yield Row(f"{path.name}: row {number}", _plain(fields))
        except _PARQUET_ERRORS as error:
            reason = " ".join(str(error).split())[:160]
            raise DataError(
                f"{path.name}: cannot be read as Parquet behind row {number} ({reason}); "
                "fetch the file again"
            ) from error


def _check_parquet(path: Path, facts: parquet.FileMetaData) -> None:
    if facts.num_rows > MAX_ROWS:
        raise DataError(f"{path}: has {facts.num_rows} rows; no benchmark has that many")
    unpacked = sum(facts.row_group(n).total_byte_size for n in range(facts.num_row_groups))
    if unpacked > MAX_EXPANSION * path.stat().st_size + SMALL:
        raise DataError(
            f"{path}: unpacks to {unpacked} bytes, more than {MAX_EXPANSION} times its size; "
            "fetch the file again"
        )


def _plain(value: Any) -> Any:
    """A value as JSON has it, bytes apart; NaN, which tables hold where nothing is, as `None`."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if isinstance(value, float) and math.isnan(value):
        return None
    return value if isinstance(value, _KINDS) else str(value)
