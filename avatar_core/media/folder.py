"""Folders of numbered pictures shown as silent videos: 00001.jpg, 00002.jpg and so on.

Picture number n is shown from (n - 1) / fps seconds on. Only names made of digits and the suffix of
a JPEG or PNG count. Pictures are regular files of the folder itself: a link may lead anywhere, so
none is followed.
"""

from __future__ import annotations

import hashlib
import math
import os
import re
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from avatar_core.config.media import MediaConfig
from avatar_core.errors import MediaError
from avatar_core.files import file_digest
from avatar_core.media.source import check_bytes, path_errors
from avatar_core.types import MediaRef

NAME = re.compile(r"(?P<number>[0-9]+)\.(jpe?g|png)", re.IGNORECASE)
MAX_ENTRIES = 100_000
"""Entries of a folder, whatever they are; more are refused."""


class Picture(NamedTuple):
    """One picture of a folder, as the folder lists it.

    Attributes:
        number: counted from 1.
        name: of the file.
        inode: of the file.
        size: in bytes.
        changed: modification time in nanoseconds.
    """

    number: int
    name: str
    inode: int
    size: int
    changed: int


def is_folder(ref: MediaRef) -> bool:
    """Whether a reference means a folder of pictures: a video with a rate of its own."""
    return ref.kind == "video" and ref.fps is not None


def list_pictures(ref: MediaRef, config: MediaConfig) -> tuple[Picture, ...]:
    """Pictures of a folder in their order; opens none of them.

    Raises:
        MediaError: it is no folder, its pictures are not numbered 1, 2, 3 and so on, one of them is
            not a regular file, or together they are beyond a limit.
    """
    with path_errors(ref.path):
        if not stat.S_ISDIR(os.stat(ref.path).st_mode):
            raise MediaError(ref.path, "is not a folder of pictures; leave out fps for a file")
        pictures = sorted(_scan(ref.path))
    if not pictures:
        raise MediaError(ref.path, "holds no pictures 00001.jpg, 00002.jpg …; check the path")
    for due, picture in enumerate(pictures, start=1):
        if picture.number != due:
            raise MediaError(
                ref.path,
                f"holds {picture.name} where picture {due} is due; "
                "number its pictures 1, 2, 3 without gaps",
            )
    check_bytes(ref.path, sum(picture.size for picture in pictures), config)
    _check_length(ref, len(pictures), config)
    return tuple(pictures)


def pictures_digest(ref: MediaRef, pictures: Sequence[Picture]) -> str:
    """BLAKE2b of the names and bytes of all pictures, hexadecimal."""
    digest = hashlib.blake2b()
    for picture in pictures:
        content = file_digest(Path(ref.path, picture.name), "blake2b")
        digest.update(f"{picture.name} {content}\n".encode())
    return digest.hexdigest()


def rate_of(ref: MediaRef) -> float:
    """Pictures per second of a folder; `MediaError` when that is no rate."""
    if ref.fps is None or not (math.isfinite(ref.fps) and ref.fps > 0):
        raise MediaError(ref.path, f"cannot be shown at fps = {ref.fps}; give a positive number")
    return ref.fps


def _scan(folder: str) -> Iterator[Picture]:
    """Numbered pictures of a folder in any order."""
    with os.scandir(folder) as entries:
        for count, entry in enumerate(entries):
            if count == MAX_ENTRIES:
                raise MediaError(
                    folder, f"holds more than {MAX_ENTRIES} entries; give a folder of one video"
                )
            match = NAME.fullmatch(entry.name)
            if match is None:
                continue
            status = entry.stat(follow_symlinks=False)
            if not stat.S_ISREG(status.st_mode):
                raise MediaError(
                    folder,
                    f"holds {entry.name}, which is a link or not a file; "
                    "put the picture itself there",
                )
            yield Picture(
                int(match["number"]),
                entry.name,
                status.st_ino,
                status.st_size,
                status.st_mtime_ns,
            )


def _check_length(ref: MediaRef, count: int, config: MediaConfig) -> None:
    """Refuse a folder that lasts longer than `max_seconds`."""
    seconds = count / rate_of(ref)
    if seconds > config.max_seconds:
        raise MediaError(
            ref.path,
            f"lasts {seconds:.1f} s, longer than max_seconds = {config.max_seconds:g}; "
            "cut it or raise the limit",
        )
