"""Configuration of one question about one file; `None` asks the model exactly as it was trained.

One answer is greedy. Several are drawn from the model's own distribution, temperature 1 and no
token left out, whatever it was trained with: then the most frequent answer is the one the model
holds most likely over all its ways to reason.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from avatar_core.config.base import Frozen
from avatar_core.types import AudioMode


class InferConfig(Frozen):
    """What to ask about which file, and of whom."""

    video: Path
    """A video, sound or image file."""
    question: str
    """What to ask about it."""
    model: str | None = None
    """`tiny`, a run, a checkpoint or a hub id; None is $AVATAR_MODEL, else the authors' model."""
    start: float | None = Field(None, ge=0)
    """First second shown; None is the start of the file."""
    end: float | None = Field(None, gt=0)
    """Last second shown; None is the end of the file."""
    audio: AudioMode | None = None
    """Use of a video's sound; None as the model was trained."""
    fps: float | None = Field(None, gt=0, le=120)
    """Frames sampled per second of video; None as the model was trained."""
    max_frames: int | None = Field(None, ge=2)
    """Most frames; None as the model was trained."""
    max_pixels: int | None = Field(None, ge=784)
    """Most pixels of a frame or an image; None as the model was trained."""
    system_prompt: str | None = None
    """System turn; None as the model was trained, empty for none."""
    max_new_tokens: int | None = Field(None, ge=1)
    """Length limit of an answer; None as the model was trained."""
    samples: int = Field(1, ge=1)
    """1 answers greedily; more draws as many answers and takes the most frequent one."""
    temperature: float = Field(1.0, gt=0)
    """Of the draws: below 1 they keep to likely tokens, above 1 they spread."""
    top_k: int = Field(0, ge=0)
    """Draws take only so many of the likeliest tokens; 0 takes all."""
    seed: int = Field(0, ge=0)
    """Seed of the draws."""
