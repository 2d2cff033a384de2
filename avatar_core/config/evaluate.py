"""Configuration of an evaluation; `None` asks the model exactly as it was trained."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from avatar_core.config.base import Frozen
from avatar_core.config.media import MediaConfig
from avatar_core.types import AudioMode

Blank = Literal["frames", "sound"]

FREE_ON_RESUME = frozenset(
    {
        "data_root",
        "batch_size",
        "out",
        "resume",
        "allow_missing",
        "media.workers",
        "media.cache_bytes",
    }
)
"""Dotted fields that may differ when an evaluation is resumed; every other change is refused."""


class EvalConfig(Frozen):
    """What to ask, of whom, and where the answers go."""

    names: tuple[str, ...] = Field(min_length=1)
    """Benchmarks, in order; `scenes` is the embedded one."""
    model: str = "tiny"
    """`tiny`, a run, a checkpoint directory or a hub id."""
    data_root: Path | None = None
    """Files of the benchmark; None takes its default place."""
    split: str = "test"
    """Split of the benchmark."""
    stage: Literal[1, 2, 3] | None = None
    """Questions of one training stage of `scenes`; None mixes the three equally."""
    limit: int = Field(200, ge=1)
    """Most items of each benchmark."""
    sample_seed: int | None = Field(None, ge=0)
    """Seed that chooses the items; None takes the first ones."""
    batch_size: int | None = Field(None, ge=1)
    """Items answered together; None takes as many as surely fit into memory, 32 at most."""
    audio: AudioMode | None = None
    """Use of a video's sound; None as in `media`."""
    max_new_tokens: int | None = Field(None, ge=1)
    """Length limit of an answer; None as the model was trained."""
    blank: tuple[Blank, ...] = ()
    """Modalities replaced by darkness or silence, to measure what they are worth."""
    system_prompt: str | None = None
    """System turn; None as the model was trained, empty for none."""
    media: MediaConfig | None = None
    """How media are read; None as the model was trained."""
    out: Path | None = None
    """Result directory, of several names one below it each; None is `runs/eval/<model>/<name>`."""
    resume: bool = True
    """Keep finished items found in the result directory; off answers all of them again."""
    allow_missing: bool = False
    """Give a score although more than 1 % of the items failed."""

    @field_validator("blank")
    @classmethod
    def _in_order(cls, blank: tuple[Blank, ...]) -> tuple[Blank, ...]:
        """One order and no repetition, so that equal settings compare as equal."""
        return tuple(sorted(set(blank)))
