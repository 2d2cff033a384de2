"""Media that an annotation file embeds, as files."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from avatar_core.errors import DataError
from avatar_core.files import cache_home, write_atomic

MAX_MEDIA_BYTES = 1 << 30
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,5}")


def embedded_file(payload: object, *, name: str, suffix: str) -> str:
    """Path of a file in the cache that holds an embedded medium; written once.

    It is named by its content: nothing in the annotation decides where it goes.

    Args:
        payload: bytes, or an object of `bytes` and `path`, as tables hold media.
        name: row and column, for the message.
        suffix: of the file, with its dot.

    Raises:
        DataError: there are no bytes, or too many, or the suffix is none.
        DiskError: the file cannot be written.
    """
    content = payload.get("bytes") if isinstance(payload, Mapping) else payload
    if not isinstance(content, bytes) or not content:
        raise DataError(f"{name}: holds no bytes of a media file; fetch the file again")
    if len(content) > MAX_MEDIA_BYTES:
        raise DataError(f"{name}: has {len(content)} bytes, more than {MAX_MEDIA_BYTES}")
    if not _SUFFIX.fullmatch(suffix):
        raise DataError(f"{name}: {suffix[:20]!r} is no suffix of a media file; mend the row")
    digest = hashlib.blake2b(content, digest_size=16).hexdigest()
    path = cache_home() / "benchmarks" / digest[:2] / f"{digest}{suffix.lower()}"
    if not _holds(path, len(content)):
        write_atomic(path, content)
    return str(path)


def _holds(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size
