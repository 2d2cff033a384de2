"""Media files to frames and sound, decoded in processes that may be killed."""

from __future__ import annotations

from avatar_core.media.loader import MediaLoader

__all__ = ["MediaLoader"]
