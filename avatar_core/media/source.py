"""The file itself, before anything is opened: is it there, regular, and small enough."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator

from avatar_core.config.media import MediaConfig
from avatar_core.errors import MediaError


def check_file(path: str, config: MediaConfig) -> os.stat_result:
    """Status of a regular file within the size limit; opens nothing.

    Raises:
        MediaError: it is missing, not a regular file, empty or too large.
    """
    with path_errors(path):
        status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):
        raise MediaError(path, "is not a regular file; give a media file")
    if status.st_size == 0:
        raise MediaError(path, "is empty; replace the file")
    check_bytes(path, status.st_size, config)
    return status


def check_bytes(path: str, count: int, config: MediaConfig) -> None:
    """Refuse more bytes than a file, or all pictures of a folder, may have."""
    if count > config.max_file_bytes:
        raise MediaError(
            path,
            f"has {count} bytes, more than max_file_bytes = {config.max_file_bytes}; "
            "cut it or raise the limit",
        )


@contextlib.contextmanager
def path_errors(path: str) -> Iterator[None]:
    """Turn what the system says of a path inside the block into a `MediaError`."""
    try:
        yield
    except OSError as error:
        raise MediaError(path, f"cannot be opened ({error.strerror}); check the path") from error
    except ValueError as error:
        raise MediaError(path, "is not a usable path; check it") from error
