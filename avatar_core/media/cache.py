"""Decoded clips in memory, within a budget of bytes; the least recently used leave first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable

from avatar_core.types import Clip


def clip_bytes(clip: Clip) -> int:
    """Bytes of a clip's arrays."""
    return sum(part.nbytes for part in (clip.frames, clip.sound) if part is not None)


class ClipCache:
    """Least-recently-used cache of clips; safe to share between threads.

    It hands out what it holds, not copies.

    Attributes:
        budget: bytes of frames and sound that may be held; a larger clip is not kept.
        used: bytes held now.
    """

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self.used = 0
        self._clips: OrderedDict[Hashable, Clip] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._clips)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._clips

    def get(self, key: Hashable) -> Clip | None:
        """The clip under `key`, now the most recently used; `None` when it is not held."""
        with self._lock:
            clip = self._clips.get(key)
            if clip is not None:
                self._clips.move_to_end(key)
            return clip

    def put(self, key: Hashable, clip: Clip) -> bool:
        """Hold `clip`, dropping the least recently used; false when it alone exceeds the budget."""
        size = clip_bytes(clip)
        if size > self.budget:
            return False
        with self._lock:
            old = self._clips.pop(key, None)
            self.used += size - (0 if old is None else clip_bytes(old))
            self._clips[key] = clip
            while self.used > self.budget:
                self.used -= clip_bytes(self._clips.popitem(last=False)[1])
        return True

    def clear(self) -> None:
        """Drop every clip."""
        with self._lock:
            self._clips.clear()
            self.used = 0
