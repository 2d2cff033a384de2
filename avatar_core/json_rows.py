"""The rows of a data file: one JSON object per line, or one array of objects.

Which of the two is told by the first character, since files named .json hold either. The encoding
is UTF-8; a byte order mark and Windows line ends are accepted. A row that cannot be decoded is
handed on as an error in its place, so that a reader may stop at the first or list them all.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from avatar_core.errors import DataError
from avatar_core.files import MAX_LINE_BYTES, read_errors
from avatar_core.json_array import ArrayReader
from avatar_core.strict_json import Content, RowDecoder

_MARK = b"\xef\xbb\xbf"
_PEEK = 1 << 20


class Row(NamedTuple):
    """One row as it stands in a file."""

    place: str
    """`file:line`, with the row's number for a row of an array."""
    name: str
    """The end of `place` in words: "line 3", "row 3"."""
    content: Content
    """The decoded object, or what is wrong with it; the error does not name its place."""


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of a file in order; blank lines are none.

    Args:
        path: JSON Lines, or a JSON file that holds an array.

    Raises:
        DataError: the file cannot be read, or is not UTF-8 text from its beginning.
    """
    decoder = RowDecoder()
    with read_errors(path):
        # A pipe would wait for a writer and a device may never end.
        if path.exists() and not path.is_file():
            raise DataError(f"{path}: is not a regular file; give a JSONL or JSON file")
        with path.open("rb") as file:
            if _holds_array(path, file):
                yield from _array_rows(path, file, decoder)
            else:
                yield from _line_rows(path, file, decoder)


def _holds_array(path: Path, file: BinaryIO) -> bool:
    """Whether the text begins with an array; leaves the file at its beginning."""
    head = file.read(_PEEK)
    if b"\0" in head or head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(
            f"{path}:1: is UTF-16 text or no text at all; give a JSONL or JSON file in UTF-8"
        )
    file.seek(0)
    return head.removeprefix(_MARK).lstrip().startswith(b"[")


def _array_rows(path: Path, file: BinaryIO, decoder: RowDecoder) -> Iterator[Row]:
    elements = ArrayReader(file, decoder, MAX_LINE_BYTES).elements()
    for number, element in enumerate(elements, start=1):
        place = f"{path}:{element.line} (row {number})"
        yield Row(place, f"row {number}", element.content)


def _line_rows(path: Path, file: BinaryIO, decoder: RowDecoder) -> Iterator[Row]:
    number = 0
    while line := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES:
            _skip_rest(file, line)
            content: Content = DataError(f"line is longer than {MAX_LINE_BYTES} bytes")
        else:
            line = line.removeprefix(_MARK) if number == 1 else line
            if not line.strip():
                continue
            content = decoder.line(line)
        yield Row(f"{path}:{number}", f"line {number}", content)


def _skip_rest(file: BinaryIO, line: bytes) -> None:
    """Move behind the end of a line of which a part was read, whatever its length."""
    while line and not line.endswith(b"\n"):
        line = file.readline(_PEEK)
