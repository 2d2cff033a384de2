"""Decoded clips on disk, so that a later run need not decode them again; off unless asked for.

`AVATAR_MEDIA_CACHE_BYTES` in the environment says how many bytes may be used, 0 or nothing for
none; they lie in `media` of the cache directory. No setting of a run says so, because what is
cached never changes what is loaded.

A clip lies in one file, named by all that it depends on: the content of the media file, what is
asked of it, the settings, the code that decodes and its libraries. The file begins with a checksum
of the rest; one that does not fit is removed and its clip decoded again, so nothing has to be
flushed to the device. Files appear whole, by a rename, and are never changed: any number of
processes may read and write. A file's time is that of its last use, and those used longest ago
leave first.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.metadata
import io
import json
import os
import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from avatar_core.errors import UsageError
from avatar_core.files import cache_home
from avatar_core.media.cache import clip_bytes
from avatar_core.media.wire import clip_from, message_in, write_clip
from avatar_core.types import Clip, MediaRef

VARIABLE = "AVATAR_MEDIA_CACHE_BYTES"
SUFFIX = ".clip"
CHECKSUM_BYTES = 32
STALE_SECONDS = 3600.0
"""A file that is still being written after this long was left by a process that died."""
PARTS = 16
"""The directory is looked through each time a part of this many of the budget has been written."""
LIBRARIES = ("av", "decord", "numpy", "pillow")


class DiskCache:
    """Least-recently-used cache of clips in a directory; safe to share between threads.

    What the disk refuses (it is full, it may not be written) is not kept and is no error. Other
    processes that write to the same directory may together exceed the budget by what each of them
    writes before it looks through the directory again, 1/16 of the budget.

    Attributes:
        folder: where the files lie.
        budget: bytes they may take.
    """

    def __init__(self, folder: Path, budget: int) -> None:
        self.folder = folder
        self.budget = budget
        self._room = 0
        self._lock = threading.Lock()

    def get(self, name: str, ref: MediaRef) -> Clip | None:
        """The clip of a name, for `ref`; `None` when it is not there or damaged."""
        path = self._path(name)
        try:
            content = path.read_bytes()
        except OSError:
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        clip = _clip_of(content, ref)
        if clip is None:
            _remove(path)
        return clip

    def put(self, name: str, clip: Clip) -> bool:
        """Keep a clip, dropping the least recently used; false when it cannot be kept."""
        if clip_bytes(clip) > self.budget:
            return False
        content = _content_of(clip)
        with self._lock:
            if not self._make_room(len(content)):
                return False
            self._room -= len(content)
        return self._write(self._path(name), content)

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}{SUFFIX}"

    def _write(self, path: Path, content: bytes) -> bool:
        """Write a file beside its place and rename it; false when the disk refuses."""
        temporary = path.with_name(f"{secrets.token_hex(8)}.tmp")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(content)
            os.replace(temporary, path)
        except OSError:
            _remove(temporary)
            return False
        return True

    def _make_room(self, size: int) -> bool:
        """Drop the least recently used until `size` fits; false when it never does."""
        if size > self.budget:
            return False
        if size > self._room:
            entries = sorted(_entries(self.folder))
            used = sum(entry.size for entry in entries)
            for entry in entries:
                if used + size <= self.budget:
                    break
                _remove(entry.path)
                used -= entry.size
            self._room = min(self.budget - used, max(size, self.budget // PARTS))
        return True


class _Entry(NamedTuple):
    """A file of the cache, ordered by its last use."""

    used: int
    path: Path
    size: int


def configured_cache(environment: Mapping[str, str]) -> DiskCache | None:
    """The cache that the environment asks for; `None` for none.

    Raises:
        UsageError: the variable is not a number of bytes.
    """
    text = environment.get(VARIABLE, "").strip() or "0"
    if not (text.isascii() and text.isdigit()):
        raise UsageError(f"{VARIABLE}={text[:80]}: give a whole number of bytes, or 0 for none")
    return DiskCache(cache_home() / "media", int(text)) if int(text) else None


def clip_name(content: str, request: Sequence[object], settings: Mapping[str, Any]) -> str:
    """Name of a clip by all that it depends on.

    Args:
        content: digest of the media file.
        request: what is asked of it.
        settings: how media are read.
    """
    parts = {"content": content, "request": request, "settings": settings, "made": _made_by()}
    text = json.dumps(parts, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=32).hexdigest()


@functools.cache
def _made_by() -> dict[str, str]:
    """The code that decodes, as a digest, and the versions of its libraries."""
    code = hashlib.blake2b(digest_size=16)
    for path in sorted(Path(__file__).parent.glob("*.py")):
        code.update(path.read_bytes())
    versions = {}
    for name in LIBRARIES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    return {**versions, "code": code.hexdigest()}


def _content_of(clip: Clip) -> bytes:
    """A clip as a file holds it: a checksum and a message."""
    stream = io.BytesIO()
    stream.write(bytes(CHECKSUM_BYTES))
    write_clip(stream, clip)
    content = stream.getbuffer()
    content[:CHECKSUM_BYTES] = hashlib.sha256(content[CHECKSUM_BYTES:]).digest()
    return content.tobytes()


def _clip_of(content: bytes, ref: MediaRef) -> Clip | None:
    """The clip that a file holds; `None` when it is damaged."""
    rest = memoryview(content)[CHECKSUM_BYTES:]
    if hashlib.sha256(rest).digest() != content[:CHECKSUM_BYTES]:
        return None
    return clip_from(message_in(rest), ref)


def _entries(folder: Path) -> list[_Entry]:
    """Files of the cache in any order; what a process that died was writing is removed."""
    entries = []
    with contextlib.suppress(OSError), os.scandir(folder) as found:
        for file in found:
            with contextlib.suppress(FileNotFoundError):
                status = file.stat(follow_symlinks=False)
                path = folder / file.name
                if file.name.endswith(SUFFIX):
                    entries.append(_Entry(status.st_mtime_ns, path, status.st_size))
                elif file.name.endswith(".tmp") and status.st_mtime < time.time() - STALE_SECONDS:
                    _remove(path)
    return entries


def _remove(path: Path) -> None:
    """Remove a file that another process may have removed."""
    with contextlib.suppress(OSError):
        path.unlink()
