"""How media are read: frames, pixels, sound, limits.

One value travels to rollout, log-probabilities and evaluation.
"""

from __future__ import annotations

from pydantic import Field, model_validator

from avatar_core.config.base import Frozen
from avatar_core.types import AudioMode, VideoReader


class MediaConfig(Frozen):
    """Sampling of frames and pixels follows the model family's rules (qwen-omni-utils)."""

    fps: float = Field(2.0, gt=0, le=120)
    """Frames sampled per second of video, before `min_frames` and `max_frames` apply."""
    min_frames: int = Field(4, ge=2)
    """At least this many frames, when the file has them."""
    max_frames: int = Field(16, ge=2)
    """At most this many frames."""
    min_pixels: int = Field(3136, ge=784)
    """Frames with fewer pixels are enlarged to this."""
    max_pixels: int = Field(50176, ge=784)
    """Frames with more pixels are reduced to this (224 x 224 by default)."""
    image_max_pixels: int = Field(401408, ge=784)
    """The same for single images."""
    audio: AudioMode = "auto"
    """`auto` uses the sound of a video when it has any, `on` requires it, `off` ignores it."""
    reader: VideoReader = "auto"
    """`av` reads everything; `auto` lets decord serve the files on which it is exact."""
    workers: int = Field(1, ge=1, le=64)
    """Decoding processes."""
    deadline_seconds: float = Field(30.0, gt=0)
    """A file that takes longer to decode is given up and its worker killed."""
    cache_bytes: int = Field(512 << 20, ge=0)
    """Memory for decoded clips; the least recently used leave first."""
    max_file_bytes: int = Field(4 << 30, gt=0)
    """Larger files are refused."""
    max_seconds: float = Field(7200.0, gt=0)
    """Longer files are refused."""
    max_side: int = Field(8192, gt=0)
    """Files with a wider or higher picture are refused."""
    max_streams: int = Field(8, gt=0)
    """Files with more streams are refused."""

    @model_validator(mode="after")
    def _ordered(self) -> MediaConfig:
        for low, high in (("min_frames", "max_frames"), ("min_pixels", "max_pixels")):
            if getattr(self, low) > getattr(self, high):
                raise ValueError(
                    f"media.{low}={getattr(self, low)} exceeds media.{high}={getattr(self, high)}"
                )
        return self
