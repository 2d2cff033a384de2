"""Durable files: a reader sees the old content or the new, whatever instant the process dies.

Whole files and directories are written beside their target, flushed to the device and renamed over
it. Logs are appended a line at a time and flushed; a torn last line is dropped by the reader.
Failures of the disk become `DiskError` with path and cause, and no temporary file outlives the call
that made it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from avatar_core.errors import DataError, DiskError, RunLockedError, UsageError

MAX_LINE_BYTES = 16 << 20
MAX_NAME_BYTES = 255
"""Longest name of a file or directory on the file systems in use."""


@contextlib.contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn an `OSError` inside the block into a `DiskError` that names `path`."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise DiskError(
            f"{path}: cannot write: {reason}; free space or choose another --out, then run again"
        ) from error


@contextlib.contextmanager
def read_errors(path: Path) -> Iterator[None]:
    """Turn an `OSError` inside the block into a `DataError` that names `path`."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise DataError(
            f"{path}: cannot read: {reason}; check the path and its permissions"
        ) from error


LOCK = ".lock"
"""File in a run directory whose lock the process that runs there holds."""


def sync_directory(path: Path) -> None:
    """Flush a directory's entries, so that a rename inside it survives a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _temporary_sibling(path: Path) -> Path:
    # Named here instead of by tempfile, whose files and directories are closed to the user's group.
    return path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")


def write_atomic(path: Path, content: bytes | str) -> None:
    """Replace `path` by `content` through a temporary file beside it, flushed and renamed."""
    data = content.encode() if isinstance(content, str) else content
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = _temporary_sibling(path)
        try:
            with temporary.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        sync_directory(path.parent)


def write_json(path: Path, document: object) -> None:
    """Write a JSON document atomically: sorted keys, two-space indent, NaN refused."""
    write_atomic(path, json.dumps(document, indent=2, sort_keys=True, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON document; `DataError` when it cannot be read or is not JSON."""
    try:
        with read_errors(path):
            return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: not valid JSON ({error}); mend or remove the file") from error


@contextlib.contextmanager
def published_directory(path: Path) -> Iterator[Path]:
    """Yield a temporary sibling directory; on success flush its files and rename it to `path`.

    Left by an exception, nothing is published and the temporary directory is removed.
    """
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = _temporary_sibling(path)
        temporary.mkdir()
        try:
            yield temporary
            for file in temporary.rglob("*"):
                if file.is_file():
                    with file.open("rb") as handle:
                        os.fsync(handle.fileno())
                elif file.is_dir():
                    sync_directory(file)
            sync_directory(temporary)
            os.rename(temporary, path)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        sync_directory(path.parent)


class JsonlAppender:
    """Appends JSON rows to a file, one flushed line each; opens with any torn last line cut off."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with disk_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            # Unbuffered: a failed write must leave nothing that a later close would try again.
            self._file = path.open("ab+", buffering=0)
            _cut_torn_line(self._file)

    def append(self, row: Mapping[str, object]) -> None:
        """Write one row and flush it to the device; a row that fails leaves no part of itself.

        Raises:
            DiskError: the row could not be written.
            ValueError: a value is NaN or infinite.
        """
        line = json.dumps(row, allow_nan=False, separators=(",", ":")) + "\n"
        with disk_errors(self.path):
            end = self._file.seek(0, os.SEEK_END)
            try:
                rest = memoryview(line.encode())
                while rest:
                    rest = rest[self._file.write(rest) :]
                os.fsync(self._file.fileno())
            except BaseException:
                with contextlib.suppress(OSError):
                    self._file.truncate(end)
                raise

    def close(self) -> None:
        """Close the file; further appends fail."""
        self._file.close()

    def __enter__(self) -> JsonlAppender:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _cut_torn_line(file: Any) -> None:
    """Truncate an open binary file behind its last newline."""
    size = end = file.seek(0, os.SEEK_END)
    while end > 0:
        start = max(0, end - (1 << 16))
        file.seek(start)
        newline = file.read(end - start).rfind(b"\n")
        if newline >= 0:
            end = start + newline + 1
            break
        end = start
    if end < size:
        file.truncate(end)
    file.seek(0, os.SEEK_END)


def read_jsonl(path: Path, *, torn_tail: bool = False) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line number from 1, row) of a JSONL file; empty lines are skipped.

    Args:
        path: file to read.
        torn_tail: drop a last line without newline, as an interrupted writer leaves it;
            `JsonlAppender` cuts the same line off.

    Raises:
        DataError: the file cannot be read, or a line is not a JSON object or is longer than 16 MiB;
            names file and line.
    """
    with read_errors(path), path.open("rb") as file:
        number = 0
        while line := file.readline(MAX_LINE_BYTES + 1):
            number += 1
            if len(line) > MAX_LINE_BYTES:
                raise DataError(f"{path}:{number}: line is longer than {MAX_LINE_BYTES} bytes")
            if torn_tail and not line.endswith(b"\n"):
                return
            if line.strip():
                yield number, _parse_row(line, f"{path}:{number}")


def _parse_row(line: bytes, where: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}: not valid JSON ({error}); mend or remove the line") from error
    if not isinstance(row, dict):
        raise DataError(f"{where}: expected a JSON object, found {type(row).__name__}")
    return row


def contained_path(root: Path, relative: str) -> Path:
    """Resolve `relative` below `root`, following links; `DataError` when it would leave the root.

    Absolute paths are accepted only when they already lie inside the root; devices, pipes and
    sockets never.
    """
    if "\0" in relative or "://" in relative or len(relative) > 4096:
        raise DataError(f"{relative[:80]!r}: not a file path; give a path below {root}")
    base = root.resolve()
    try:
        target = (base / relative).resolve()
        special = target.exists() and not (target.is_file() or target.is_dir())
    except (
        OSError,
        RuntimeError,
        ValueError,
    ) as error:  # too long; a loop of links; a lone surrogate
        raise DataError(f"{relative[:80]!r}: not a usable path below {root} ({error})") from error
    if not target.is_relative_to(base):
        raise DataError(f"{relative[:80]!r} leads outside {base}; only files below it are read")
    if special:
        raise DataError(
            f"{relative[:80]!r} is neither a file nor a directory; give a file below {root}"
        )
    return target


def user_path(name: str | Path, setting: str) -> Path:
    """A path that a user gave, after a look at whether the system takes it; it may not exist.

    Args:
        name: the path.
        setting: flag or key that it was given for.

    Raises:
        UsageError: it is too long, a loop of links, or below a directory that cannot be searched.
    """
    path = Path(name)
    try:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            path.stat()
        # What lies below a directory that is not there yet was not looked at.
        longest = max((len(os.fsencode(part)) for part in path.parts), default=0)
        if longest > MAX_NAME_BYTES:
            raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(
            f"{setting} {str(name)[:80]}: cannot be used as a path ({reason}); give another one"
        ) from error
    return path


def cache_home() -> Path:
    """Where what can be made again is kept: $AVATAR_CACHE, $XDG_CACHE_HOME/avatar, ~/.cache/avatar.

    The first that is set counts.
    """
    if given := os.environ.get("AVATAR_CACHE"):
        return Path(given)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "avatar"


def file_digest(path: Path, algorithm: str = "sha256") -> str:
    """Hexadecimal digest of a file's bytes."""
    digest = hashlib.new(algorithm)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


@contextlib.contextmanager
def run_lock(directory: Path) -> Iterator[None]:
    """Hold a run directory for this process; a lock left by a killed process does not block.

    Raises:
        RunLockedError: another living process holds it; names its pid.
    """
    path = directory / LOCK
    with disk_errors(path):
        directory.mkdir(parents=True, exist_ok=True)
        file = path.open("a+")
    with file:
        with disk_errors(path):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                holder = file.read().strip() or "unknown"
                raise RunLockedError(
                    f"{directory}: in use by process {holder}; "
                    "wait for it to end or choose another --out"
                ) from None
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
        yield
