"""One file that lies on the disk in parts."""

from __future__ import annotations

import io
import os
from bisect import bisect_right
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import accumulate
from pathlib import Path
from typing import Any


class JoinedFile(io.RawIOBase):
    """Several files that are read as one, without a copy of them."""

    def __init__(self, parts: Sequence[Path]) -> None:
        """Open the parts.

        Args:
            parts: files in order, at least one.

        Raises:
            OSError: one cannot be read.
        """
        with ExitStack() as stack:
            self._files = [stack.enter_context(part.open("rb")) for part in parts]
            self._starts = [0, *accumulate(part.stat().st_size for part in parts)]
            self._open = stack.pop_all()
        self._at = 0

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a byte of the whole."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._starts[-1]}[whence]
        if base + offset < 0:
            raise OSError("seek before the start of the file")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer from the part that holds the present place; 0 at the end."""
        if self._at >= self._starts[-1]:
            return 0
        part = bisect_right(self._starts, self._at) - 1
        left = self._starts[part + 1] - self._at
        self._files[part].seek(self._at - self._starts[part])
        count = self._files[part].readinto(memoryview(buffer)[:left])
        self._at += count
        return count

    def close(self) -> None:
        """Close all parts."""
        self._open.close()
        super().close()
