"""The archives of a data set: where they are, in how many parts, and what is in them.

An archive comes from others. Nothing here writes a file or believes a name; what a member may be
called and how large it may be is decided by who unpacks it.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any, NamedTuple

from avatar_core.benchmarks.joined_file import JoinedFile
from avatar_core.errors import DataError
from avatar_core.files import contained_path, read_errors

_ARCHIVE = re.compile(
    r"(?P<whole>.+?(?P<form>\.zip|\.tar|\.tar\.gz|\.tgz|\.tar\.bz2|\.tar\.xz))"
    # ".partial" is what a transfer calls a file that is still arriving.
    r"(?:\.part[._-]?(?P<part>[0-9]+|(?!ial)(?-i:[a-z]{2,3}))|\.(?P<number>[0-9]{3}))?",
    re.IGNORECASE,
)
_MAX_READ = 16 << 20
"""Most bytes that a tar header may ask for at once; extended headers are read into memory."""
_DAMAGE = (
    EOFError,
    NotImplementedError,
    ValueError,
    gzip.BadGzipFile,
    lzma.LZMAError,
    struct.error,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
)


class Archive(NamedTuple):
    """One archive, of one file or of parts."""

    path: Path
    """Of the whole; of an archive in parts where their joined file would be."""
    form: str
    """Suffix, in lower case."""
    parts: tuple[Path, ...]
    """Files that hold it, in order."""
    flaw: str = ""
    """Why it cannot be opened; empty when nothing speaks against it."""

    @property
    def size(self) -> int:
        """Bytes of all parts."""
        return sum(part.stat().st_size for part in self.parts)


class Member(NamedTuple):
    """A regular file in an archive."""

    name: str
    """As the archive gives it."""
    size: int
    """Bytes, by the archive's word."""
    open: Callable[[], IO[bytes]]
    """Begins to read it."""


def is_archive(name: str) -> bool:
    """Whether a file of this name would be looked into."""
    return _ARCHIVE.fullmatch(name) is not None


def find_archives(root: Path) -> list[Archive]:
    """Archives below a directory, sorted by path; hidden files and directories are passed over.

    One that lacks a part, or is a link that leads outside, has a flaw.
    """
    whole: dict[Path, Archive] = {}
    parts: dict[tuple[Path, str], dict[int, Path]] = {}
    for directory, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            match = _ARCHIVE.fullmatch(name)
            if match is None or name.startswith("."):
                continue
            path = Path(directory, name)
            part, form = match["part"] or match["number"], match["form"].lower()
            try:
                contained_path(root, str(path.relative_to(root)))
            except DataError as error:
                whole[path] = Archive(path, form, (), f"{error}; put the archive itself there")
                continue
            if part:
                key = (path.with_name(match["whole"]), form)
                parts.setdefault(key, {})[_place(part.lower())] = path
            else:
                whole[path] = Archive(path, form, (path,))
    for (path, form), found in parts.items():
        # A joined file that somebody made already stands for its parts.
        if path not in whole:
            whole[path] = _joined(path, form, found)
    return sorted(whole.values())


def _place(part: str) -> int:
    if part.isdigit():
        return int(part)
    # "aa", "ab", … as `split` names them.
    place = 0
    for letter in part:
        place = place * 26 + ord(letter) - ord("a")
    return place


def _joined(path: Path, form: str, found: dict[int, Path]) -> Archive:
    first = min(found)
    missing = next((n for n in range(first, first + len(found)) if n not in found), None)
    flaw = ""
    if first > 1 or missing is not None:
        flaw = (
            f"{path}: part {0 if first > 1 else missing} of the archive is missing; "
            "fetch it and run again"
        )
    return Archive(path, form, tuple(found[place] for place in sorted(found)), flaw)


@contextmanager
def opened(archive: Archive) -> Iterator[Iterator[Member]]:
    """The regular files of an archive, one after the other, directories left out.

    A member is read before the next one is asked for.

    Raises:
        DataError: the archive has a flaw, is damaged or locked, or holds a link, device or pipe.
    """
    if archive.flaw:
        raise DataError(archive.flaw)
    try:
        with (
            read_errors(archive.path),
            JoinedFile(archive.parts) as raw,
            io.BufferedReader(raw, 1 << 20) as file,
        ):
            if archive.form == ".zip":
                with zipfile.ZipFile(file) as zipped:
                    yield _zip_members(archive.path, zipped)
            else:
                with _expanded(file, archive.form) as plain:
                    yield _tar_members(archive.path, _Measured(plain, archive.path))
    except _DAMAGE as error:
        raise DataError(
            f"{archive.path}: is damaged or no archive ({' '.join(str(error).split())[:120]}); "
            "fetch it again"
        ) from error


def _expanded(file: IO[bytes], form: str) -> IO[bytes]:
    if form in (".tar.gz", ".tgz"):
        return gzip.GzipFile(fileobj=file)  # type: ignore[return-value]
    if form == ".tar.bz2":
        return bz2.BZ2File(file)
    return lzma.LZMAFile(file) if form == ".tar.xz" else file


def _zip_members(path: Path, zipped: zipfile.ZipFile) -> Iterator[Member]:
    for info in zipped.infolist():
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise _refused(path, info.filename, "is a link or device")
        if info.flag_bits & 1:
            raise _refused(path, info.filename, "is encrypted")
        if not info.is_dir():
            # What follows a zero byte is cut off in `filename`.
            yield Member(info.orig_filename, info.file_size, partial(zipped.open, info))


def _tar_members(path: Path, file: _Measured) -> Iterator[Member]:
    reader: Any = file
    tar: Any
    with tarfile.open(fileobj=reader, mode="r:") as tar:
        while (info := tar.next()) is not None:
            # All that were read would be kept otherwise.
            tar.members = []
            if info.isdir():
                continue
            if not info.isreg() or info.issparse():
                raise _refused(path, info.name, "is a link, device or pipe, or has holes")
            yield Member(info.name, info.size, partial(_tar_file, tar, info))
        # A bad header reads as the end, which is a block of zeros.
        if not file.last or any(file.last):
            raise tarfile.ReadError("a header in it is not valid, or its end is missing")
        # What packed it keeps its checksum at the very end.
        file.read(_MAX_READ)


def _tar_file(tar: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    file = tar.extractfile(info)
    if file is None:
        raise tarfile.ReadError(f"{info.name} cannot be read")
    return file


def _refused(path: Path, name: str, what: str) -> DataError:
    return DataError(
        f"{path}: member {name[:80]!r} {what}; nothing of the archive is unpacked, "
        "unpack it yourself if you trust it"
    )


class _Measured:
    """A file that refuses to be read in one piece, for headers that claim to be huge."""

    def __init__(self, file: IO[bytes], path: Path) -> None:
        self._file = file
        self._path = path
        self.last = b""
        self.seek = file.seek
        self.tell = file.tell

    def read(self, size: int = -1) -> bytes:
        """Read as of any file, but not more than a header needs."""
        if not 0 <= size <= _MAX_READ:
            raise DataError(f"{self._path}: holds a header of {size} bytes; fetch it again")
        self.last = self._file.read(size)
        return self.last
