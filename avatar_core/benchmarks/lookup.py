"""Media files of a benchmark: where its annotation says, or where an archive may have put them.

Nothing outside the root is opened or named, and no file is taken for another: a name found more
than once, without a folder that tells which is meant, is a missing file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from avatar_core.benchmarks.embedded import SUFFIXES
from avatar_core.errors import DataError
from avatar_core.files import MAX_NAME_BYTES, contained_path
from avatar_core.media_root import MediaRoot

VIDEO_SUFFIXES = (".mp4", ".MP4", *SUFFIXES["video"][1:])
"""Of which one may stand for another."""
MAX_FILES = 3_000_000
"""Files and folders of a root that are looked through for a name."""
_KINDS = {suffix: kind for kind, suffixes in SUFFIXES.items() for suffix in suffixes}
_FOLDER = "folder"
_ADDRESS = re.compile(r"[A-Za-z]:[\\/]|(?:file|data|https?|ftp|s3|gs|hf):", re.IGNORECASE)
_COUNTING = re.compile(r"[A-Za-z]*[_-]?[0-9]+")
"""Names that number the files of one folder; another folder has the same."""


class Found(NamedTuple):
    """Where a file or folder is."""

    path: str
    """Its path; of a missing one that which was looked for first."""
    missing: bool
    """It is not there."""

    @property
    def lacking(self) -> tuple[str, ...]:
        """Its path when it is not there, for `Item.missing`."""
        return (self.path,) if self.missing else ()


class _Name(NamedTuple):
    """What a file is found by when its folder is not where it should be."""

    kind: str
    """"video", "audio", "image" or "folder"."""
    stem: str
    """Its name without the suffix of a medium."""


class MediaFiles:
    """The files below the root of a benchmark."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._inside = MediaRoot(self._root)
        self._index: dict[_Name, list[str]] | None = None

    def file(self, *candidates: str, place: str) -> Found:
        """A file by its possible paths.

        Each is tried as it is and with other suffixes of a video; then all folders are searched for
        the name of the first. A name that only numbers files ("12.mp4", "video_0012.mp4") is
        accepted from a folder that is called like that of a candidate, any other from everywhere;
        a candidate without a folder accepts it from everywhere too.

        Args:
            candidates: paths relative to the root, in order.
            place: file and row that name it, for the message.

        Raises:
            DataError: one is absolute, an address, or leads outside the root.
        """
        with _named_in(place):
            return self._file(self._checked(candidates))

    def _file(self, names: Sequence[str]) -> Found:
        for name in names:
            for variant in _variants(name):
                path = self._inside.find(variant)
                if path is not None:
                    return Found(path, missing=False)
        leaf = os.path.basename(names[0])
        same = self._named(_name_of(leaf))
        exact = [path for path in same if os.path.basename(path) == leaf]
        chosen = _chosen(exact, names) or _chosen(same, names)
        path = self._inside.find(chosen) if chosen else None
        return Found(path, missing=False) if path else self._missing(names)

    def folder(self, *candidates: str, place: str) -> Found:
        """A folder by its possible paths; then all folders are searched for the first's name.

        Args:
            candidates: paths relative to the root, in order.
            place: file and row that name it, for the message.

        Raises:
            DataError: one is absolute, an address, or leads outside the root.
        """
        with _named_in(place):
            return self._folder(self._checked(candidates))

    def _folder(self, names: Sequence[str]) -> Found:
        for name in names:
            path = contained_path(self._root, name)
            if path.is_dir():
                return Found(str(path), missing=False)
        chosen = _chosen(self._named(_Name(_FOLDER, os.path.basename(names[0]))), names)
        return Found(str(self._root / chosen), missing=False) if chosen else self._missing(names)

    def _missing(self, names: Sequence[str]) -> Found:
        return Found(str(self._root / names[0]), missing=True)

    def _checked(self, candidates: Sequence[str]) -> list[str]:
        for name in candidates:
            outside = ".." in re.split(r"[\\/]", name) or name.startswith(("/", "\\"))
            if outside or _ADDRESS.match(name) or "\0" in name or not name.strip("./ "):
                raise DataError(
                    f"{name[:80]!r}: not a path below {self._root}; mend the annotation file"
                )
        return [name.rstrip("/") for name in candidates]

    def _named(self, name: _Name) -> list[str]:
        if self._index is None:
            self._index = {}
            for found, path in _walk(self._root):
                self._index.setdefault(found, []).append(path)
        return self._index.get(name, [])


@contextmanager
def _named_in(place: str) -> Iterator[None]:
    """Put file and row in front of what is wrong with a path."""
    try:
        yield
    except DataError as error:
        raise DataError(f"{place}: {error}") from error


def _walk(root: Path) -> Iterator[tuple[_Name, str]]:
    """Name and relative path of every media file and folder that is not hidden; sorted."""
    count = 0
    for directory, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        base = os.path.relpath(directory, root)
        count += len(folders) + len(files)
        if count > MAX_FILES:
            raise DataError(
                f"{root}: holds more than {MAX_FILES} files; give the directory of one benchmark"
            )
        for name in folders:
            yield _Name(_FOLDER, name), os.path.normpath(os.path.join(base, name))
        for name in sorted(files):
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in _KINDS:
                yield _name_of(name), os.path.normpath(os.path.join(base, name))


def _name_of(leaf: str) -> _Name:
    """Kind and stem of a file; without the suffix of a medium it is a video."""
    stem, suffix = os.path.splitext(leaf)
    kind = _KINDS.get(suffix.lower())
    return _Name(kind, stem) if kind else _Name("video", leaf)


def _variants(name: str) -> Iterator[str]:
    yield name
    folder, leaf = os.path.split(name)
    kind, stem = _name_of(leaf)
    if kind == "video":
        for suffix in VIDEO_SUFFIXES:
            other = stem + suffix
            if other != leaf and len(os.fsencode(other)) <= MAX_NAME_BYTES:
                yield os.path.join(folder, other)


def _chosen(paths: Sequence[str], names: Sequence[str]) -> str | None:
    """The path that is meant; `None` without one, or when nothing tells which of several."""
    folders = [_folders(name) for name in names]
    if paths and all(folders) and _COUNTING.fullmatch(_name_of(os.path.basename(paths[0])).stem):
        parents = {parts[-1] for parts in folders}
        paths = [path for path in paths if _folders(path)[-1:] and _folders(path)[-1] in parents]
    shared = [max(_shared_end(_folders(path), parts) for parts in folders) for path in paths]
    best = [path for path, length in zip(paths, shared, strict=True) if length == max(shared)]
    return best[0] if len(best) == 1 else None


def _folders(path: str) -> list[str]:
    return [part.casefold() for part in path.split("/")[:-1] if part != "."]


def _shared_end(one: Sequence[str], other: Sequence[str]) -> int:
    length = 0
    for a, b in zip(reversed(one), reversed(other), strict=False):
        if a != b:
            break
        length += 1
    return length
