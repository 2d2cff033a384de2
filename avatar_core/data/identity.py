"""The id of a sample that names none: a digest of what is asked about what.

It stays the same when the file of rows is sorted, moved or grows. Media enter with their content,
not their names; of a large file only its size and three pieces are read, so that the cost is
bounded by the number of files and not by their length.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from avatar_core.files import read_errors
from avatar_core.types import MediaRef

PIECE = 64 << 10
"""Bytes of one piece; a file of up to three of them is read whole."""
_SIZE = 16


def default_id(
    question: str, options: Sequence[str], media: Sequence[MediaRef], mark: Callable[[str], str]
) -> str:
    """Hexadecimal digest of a question, its options and its media.

    Args:
        question: text of the question.
        options: option texts.
        media: files in prompt order.
        mark: stands for the content of a file, by its path.
    """
    digest = hashlib.blake2b(digest_size=_SIZE)
    files = (f"{ref.kind} {mark(ref.path)}" for ref in media)
    for part in (question, *options, *files):
        content = part.encode()
        digest.update(b"%d:%s" % (len(content), content))
    return digest.hexdigest()


def content_mark(path: str) -> str:
    """Hexadecimal digest of a file's size and of its first, middle and last 64 KiB.

    Raises:
        DataError: the file cannot be read.
    """
    with read_errors(Path(path)), open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        digest = hashlib.blake2b(b"%d:" % size, digest_size=_SIZE)
        if size <= 3 * PIECE:
            digest.update(file.read(size))
        else:
            for start in (0, (size - PIECE) // 2, size - PIECE):
                file.seek(start)
                digest.update(file.read(PIECE))
    return digest.hexdigest()
