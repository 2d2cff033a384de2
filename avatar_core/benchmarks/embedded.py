"""Media that an annotation file embeds, as files."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from avatar_core.errors import DataError
from avatar_core.files import cache_home, write_atomic
from avatar_core.types import MediaKind

MAX_MEDIA_BYTES = 1 << 30
SUFFIXES: Mapping[MediaKind, tuple[str, ...]] = {
    "image": (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif"),
    "video": (".mp4", ".mkv", ".webm", ".avi", ".mov"),
    "audio": (".wav", ".mp3", ".flac", ".m4a", ".ogg", ".aac", ".opus"),
}
"""Suffixes of media files; the first for a file that does not say."""


class Payload(NamedTuple):
    """What a cell of a media column holds."""

    content: bytes
    """Of the file; empty when it is not embedded."""
    path: str | None
    """What the cell calls it."""


def payload(cell: object) -> Payload:
    """The parts of a cell: bytes, a path, or an object of `bytes` and `path`."""
    content, path = (
        (cell.get("bytes"), cell.get("path")) if isinstance(cell, Mapping) else (cell, cell)
    )
    return Payload(
        content if isinstance(content, bytes) else b"", path if isinstance(path, str) else None
    )


def embedded_file(cell: object, kind: MediaKind, *, name: str, called: str | None = None) -> str:
    """Path of a file in the cache that holds an embedded medium; written once.

    It is named by its content: nothing in the annotation decides where it goes.

    Args:
        cell: bytes, or an object of `bytes` and `path`, as tables hold media.
        kind: what it is; its suffix is that of its path when that is one of the kind.
        name: row and column, for the message.
        called: its path where the cell has none.

    Raises:
        DataError: there are no bytes, or too many.
        DiskError: the file cannot be written.
    """
    content, path = payload(cell)
    if not content:
        raise DataError(f"{name}: holds no bytes of a media file; fetch the file again")
    if len(content) > MAX_MEDIA_BYTES:
        raise DataError(f"{name}: has {len(content)} bytes, more than {MAX_MEDIA_BYTES}")
    suffix = PurePosixPath(path or called or "").suffix.lower()
    suffix = suffix if suffix in SUFFIXES[kind] else SUFFIXES[kind][0]
    digest = hashlib.blake2b(content, digest_size=16).hexdigest()
    file = cache_home() / "benchmarks" / digest[:2] / f"{digest}{suffix}"
    if not _holds(file, len(content)):
        write_atomic(file, content)
    return str(file)


def _holds(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size
