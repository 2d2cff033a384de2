"""Configuration of questions about files; `None` asks the model exactly as it was trained.

One answer is greedy. Several are drawn from the model's own distribution, temperature 1 and no
token left out, whatever it was trained with: then the most frequent answer is the one the model
holds most likely over all its ways to reason.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from avatar_core.config.base import Frozen
from avatar_core.types import AudioMode


class AskConfig(Frozen):
    """Whom to ask, and how files are shown."""

    model: str | None = None
    """`tiny`, a run, a checkpoint or a hub id; None is $AVATAR_MODEL, else the authors' model."""
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


class InferConfig(AskConfig):
    """What to ask about which file, and of whom."""

    video: Path
    """A video, sound or image file."""
    question: str
    """What to ask about it; empty where questions come later."""
    also: tuple[Path, ...] = ()
    """Further files, shown whole behind `video` and before the question."""
    start: float | None = Field(None, ge=0)
    """First second of `video` that is shown; None is its start."""
    end: float | None = Field(None, gt=0)
    """Last second of it that is shown; None is its end."""
    samples: int = Field(1, ge=1)
    """1 answers greedily; more draws as many answers and takes the most frequent one."""
    temperature: float = Field(1.0, gt=0)
    """Of the draws: below 1 they keep to likely tokens, above 1 they spread."""
    top_k: int = Field(0, ge=0)
    """Draws take only so many of the likeliest tokens; 0 takes all."""
    seed: int = Field(0, ge=0)
    """Seed of the draws."""


class BatchConfig(AskConfig):
    """A file of questions, and where their answers go."""

    file: Path
    """JSONL, or a JSON array: rows of training data, or of `video`, `question` and the like."""
    out: Path
    """JSONL file that gets one row per question."""
    batch_size: int | None = Field(None, ge=1)
    """Questions answered together; None takes as many as surely fit into memory."""
    resume: bool = True
    """Keep the answers that `out` holds; off asks every question again."""
