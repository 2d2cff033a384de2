"""Unpacks the archives of a data set beside themselves, each once, and nothing outside its root.

An archive is looked through before its first file is written: one bad member, and nothing of it is
unpacked. A file that is already there is never replaced, so that no archive changes an annotation
file, and what an interrupted run unpacked is not unpacked again. Archives within archives stay
packed. One that is refused is left to the user: that is recorded with the reason, and it is not
tried again unless it changes.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import IO, NamedTuple

from avatar_core.benchmarks.archives import Archive, Member, find_archives, is_archive, opened
from avatar_core.errors import DataError, DiskError
from avatar_core.files import (
    MAX_NAME_BYTES,
    contained_path,
    disk_errors,
    read_errors,
    read_json,
    write_json,
)

RECORD = ".avatar-unpacked.json"
"""File in the root that says which archives are unpacked, and which are left to the user."""
MAX_MEMBERS = 500_000
"""Files in one archive."""
MAX_BYTES = 1 << 40
"""Of all files in one archive."""
MAX_RATIO = 50
"""Greatest ratio of what an archive holds to its size; videos do not shrink at all."""
SMALL = 64 << 20
"""What any archive may hold."""
_CHUNK = 1 << 20
_ABSOLUTE = re.compile(r"/|[A-Za-z]:")
_NOT_IN_NAMES = re.compile(r"[\\\x00-\x1f\x7f]")


class Unpacked(NamedTuple):
    """What became of an archive."""

    archive: Path
    """Where it is."""
    files: int
    """Regular files in it that are not hidden; 0 when it is left."""
    bytes: int
    """Their size together."""
    left: str | None = None
    """Why it is left to the user, and what to do; `None` when it is unpacked."""


class _Record(NamedTuple):
    unpacked: dict[str, int | None]
    """Size of each archive that is unpacked; `None` for one that came out of another."""
    left: dict[str, list[int | str]]
    """Size, time of change in nanoseconds and reason of each that is left to the user."""


class _Content(NamedTuple):
    unpacked: Unpacked
    """All of an archive."""
    missing: int
    """Bytes of it that are not there yet."""


def unpack(root: Path, progress: Callable[[Path], None] | None = None) -> list[Unpacked]:
    """Unpack all zip and tar archives below a directory that were not unpacked or refused before.

    An archive that is damaged, too large, or has a member that is no plain file below the root is
    left as it is; the others are unpacked all the same.

    Args:
        root: directory of one benchmark; files of its archives go beside the archive.
        progress: called with each archive before it is unpacked.

    Returns:
        The archives that were unpacked or refused now, in order.

    Raises:
        DataError: an archive cannot be read from the disk, or the record is none.
        DiskError: a file cannot be written, or there is no room.
    """
    record = _read_record(root)
    done = []
    for archive in find_archives(root):
        name = archive.path.relative_to(root).as_posix()
        if _is_unpacked(record, name, archive) or _reason(record, name, archive) is not None:
            continue
        if progress:
            progress(archive.path)
        try:
            unpacked, inside = _unpack(root, archive)
        except DataError as error:
            if _disk_failed(error):
                raise
            unpacked = Unpacked(archive.path, 0, 0, str(error))
            record.left[name] = [*_state(archive), str(error)]
        else:
            record.unpacked.update({**dict.fromkeys(inside), name: archive.size})
            record.left.pop(name, None)
        write_json(root / RECORD, {"archives": record.unpacked, "left": record.left})
        done.append(unpacked)
    return done


def still_packed(root: Path) -> dict[Path, str | None]:
    """Archives below a directory that are not unpacked, in order.

    Returns:
        Why each was refused; `None` for one that was not tried, or changed since.

    Raises:
        DataError: the record of unpacked archives cannot be read or is none.
    """
    record = _read_record(root)
    names = {archive: archive.path.relative_to(root).as_posix() for archive in find_archives(root)}
    return {
        archive.path: _reason(record, name, archive)
        for archive, name in names.items()
        if not _is_unpacked(record, name, archive)
    }


def _read_record(root: Path) -> _Record:
    path = root / RECORD
    if not path.is_file():
        return _Record({}, {})
    document = read_json(path)
    facts = document if isinstance(document, dict) else {}
    record = _Record(facts.get("archives"), facts.get("left", {}))  # type: ignore[arg-type]
    if not isinstance(record.unpacked, dict) or not isinstance(record.left, dict):
        raise DataError(f"{path}: is not a record of unpacked archives; remove it")
    return record


def _is_unpacked(record: _Record, name: str, archive: Archive) -> bool:
    return name in record.unpacked and record.unpacked[name] in (archive.size, None)


def _reason(record: _Record, name: str, archive: Archive) -> str | None:
    """Why an archive was refused as it is now."""
    entry = record.left.get(name)
    known = isinstance(entry, list) and len(entry) == 3 and entry[:2] == _state(archive)
    return str(entry[2]) if entry and known else None


def _state(archive: Archive) -> list[int | str]:
    changed = max((part.stat().st_mtime_ns for part in archive.parts), default=0)
    return [archive.size, changed]


def _disk_failed(error: DataError) -> bool:
    """Whether not the archive is at fault but what it lies on, so that it may be read later."""
    cause = error.__cause__
    return isinstance(cause, OSError) and cause.errno is not None


def _unpack(root: Path, archive: Archive) -> tuple[Unpacked, list[str]]:
    found, missing = _looked_through(root, archive)
    free = shutil.disk_usage(root).free
    if missing > free:
        raise DiskError(
            f"{archive.path}: takes {missing} bytes when unpacked, but only {free} are free; "
            "free space, then run again"
        )
    targets = _Targets(root, archive)
    inside = []
    with opened(archive) as members:
        for member in members:
            path = targets.of(member)
            if path is None:
                continue
            if is_archive(path.name):
                inside.append(path.relative_to(root.resolve()).as_posix())
            if not path.exists():
                _write(root, path, member, archive)
    return found, inside


def _looked_through(root: Path, archive: Archive) -> _Content:
    """What an archive holds, when none of it is refused."""
    targets, limit = _Targets(root, archive), min(MAX_BYTES, MAX_RATIO * archive.size + SMALL)
    seen = size = missing = 0
    kept: list[int] = []
    with opened(archive) as members:
        for member in members:
            seen += 1
            size += member.size
            if seen > MAX_MEMBERS:
                raise DataError(
                    f"{archive.path}: holds more than {MAX_MEMBERS} files; "
                    "unpack it yourself if you trust it"
                )
            if size > limit:
                raise DataError(
                    f"{archive.path}: claims to hold more than {limit} bytes, too many for its "
                    f"{archive.size}; unpack it yourself if you trust it"
                )
            path = targets.of(member)
            if path is not None:
                kept.append(member.size)
                missing += 0 if path.exists() else member.size
    return _Content(Unpacked(archive.path, len(kept), sum(kept)), missing)


class _Targets:
    """Where the members of an archive belong."""

    def __init__(self, root: Path, archive: Archive) -> None:
        self._root = root.resolve()
        self._archive = archive.path
        self._base = archive.path.relative_to(root).parent
        self._folders: dict[tuple[str, ...], Path] = {}

    def of(self, member: Member) -> Path | None:
        """Path of a member below the root; `None` for a hidden one, which is passed over.

        Raises:
            DataError: its name leads outside, or no file can have it.
        """
        *above, leaf = parts = self._parts(member.name)
        if any(part.startswith(".") or part == "__MACOSX" for part in parts):
            return None
        folder = tuple(above)
        if folder not in self._folders:
            try:
                path = contained_path(self._root, str(self._base.joinpath(*folder)))
            except DataError as error:
                raise self._refused(member.name) from error
            self._folders[folder] = path
        return self._folders[folder] / leaf

    def _parts(self, name: str) -> list[str]:
        parts = [part for part in name.split("/") if part not in ("", ".")]
        written = [os.fsencode(part) for part in parts]
        encodable = name.encode(errors="replace").decode() == name
        leaves = not parts or ".." in parts or _ABSOLUTE.match(name)
        too_long = any(len(part) > MAX_NAME_BYTES for part in written)
        if leaves or too_long or not encodable or _NOT_IN_NAMES.search(name):
            raise self._refused(name)
        return parts

    def _refused(self, name: str) -> DataError:
        return DataError(
            f"{self._archive}: member {name[:80]!r} is no path below {self._root}; nothing of the "
            "archive is unpacked, unpack it yourself if you trust it"
        )


def _write(root: Path, path: Path, member: Member, archive: Archive) -> None:
    """Write a member in one instant; not flushed, since there may be a hundred thousand."""
    temporary = root / f".avatar-unpacking-{os.getpid()}"
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with member.open() as source, temporary.open("wb") as target:
                _copy(source, target, member, archive)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


def _copy(source: IO[bytes], target: IO[bytes], member: Member, archive: Archive) -> None:
    left = member.size
    while left >= 0:
        with read_errors(archive.path):
            block = source.read(min(_CHUNK, left + 1))
        if not block:
            break
        target.write(block)
        left -= len(block)
    if left:
        raise DataError(
            f"{archive.path}: member {member.name[:80]!r} is not as long as the archive says; "
            "fetch it again"
        )
