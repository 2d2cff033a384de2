"""The file itself, before anything is opened: is it there, regular, and small enough."""

from __future__ import annotations

import os
import stat

from avatar_core.config.media import MediaConfig
from avatar_core.errors import MediaError


def check_file(path: str, config: MediaConfig) -> os.stat_result:
    """Status of a regular file within the size limit; opens nothing.

    Raises:
        MediaError: it is missing, not a regular file, empty or too large.
    """
    try:
        status = os.stat(path)
    except OSError as error:
        raise MediaError(path, f"cannot be opened ({error.strerror}); check the path") from error
    except ValueError as error:
        raise MediaError(path, "is not a usable path; check it") from error
    if not stat.S_ISREG(status.st_mode):
        raise MediaError(path, "is not a regular file; give a media file")
    if status.st_size == 0:
        raise MediaError(path, "is empty; replace the file")
    if status.st_size > config.max_file_bytes:
        raise MediaError(
            path,
            f"has {status.st_size} bytes, more than max_file_bytes = {config.max_file_bytes}; "
            "cut it or raise the limit",
        )
    return status
