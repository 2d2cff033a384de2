"""Configuration of an evaluation; `None` asks the model exactly as it was trained."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from avatar_core.config.base import Frozen
from avatar_core.config.judge import plain_address
from avatar_core.config.media import MediaConfig
from avatar_core.types import AudioMode

Blank = Literal["frames", "sound"]
BackendName = Literal["hf", "openai"]

FREE_ON_RESUME = frozenset(
    {
        "data_root",
        "batch_size",
        "out",
        "resume",
        "allow_missing",
        "download",
        "served.url",
        "served.api_key_env",
        "served.timeout_seconds",
        "served.concurrency",
        "media.workers",
        "media.cache_bytes",
        "media.deadline_seconds",
        "media.max_file_bytes",
        "media.max_seconds",
        "media.max_side",
        "media.max_streams",
    }
)
"""Dotted fields that may differ when an evaluation is resumed; every other change is refused.

A limit on media is one of them: raised, it only makes an item that was refused one that is asked.
"""


class ServedConfig(Frozen):
    """A model behind an OpenAI-compatible server."""

    url: str = ""
    """Base address, without `/chat/completions`."""
    model: str = ""
    """Name that the server knows the model by."""
    api_key_env: str | None = None
    """Environment variable that holds the server's key; None sends no key."""
    timeout_seconds: float = Field(600.0, gt=0)
    """Limit of one request."""
    concurrency: int = Field(8, ge=1, le=256)
    """Requests at the same time."""

    @field_validator("url")
    @classmethod
    def _whole(cls, url: str) -> str:
        return url and plain_address(url, "--api-key-env")


class EvalConfig(Frozen):
    """What to ask, of whom, and where the answers go."""

    names: tuple[str, ...] = Field(min_length=1)
    """Benchmarks, in order; `scenes` is the embedded one, a path that ends in .jsonl or .json is
    a file of samples as training takes them."""
    model: str = "tiny"
    """`tiny`, a run, a checkpoint directory or a hub id."""
    backend: BackendName = "hf"
    """`hf` answers in this process, `openai` asks a server for `served.model`."""
    served: ServedConfig = ServedConfig()
    """The server of the `openai` backend."""
    data_root: Path | None = None
    """Files of the benchmark, or a directory with one folder per benchmark; None takes
    `$AVATAR_DATA/<name>`. Of a file of samples the directory of their media, None for its own."""
    download: bool = False
    """Fetch a benchmark that is not there, without asking."""
    split: str | None = None
    """Split of the benchmark; None is its main one."""
    subset: str | None = None
    """Part of the benchmark; None is its default."""
    mode: str | None = None
    """Protocol of a benchmark that has several; None is its default."""
    question_only: bool = False
    """Ask without media."""
    prompt: Literal["official", "authors", "think"] | None = None
    """Wording: the benchmark's, that of AVATAR's authors, or reasoning first; None: its default."""
    stage: Literal[1, 2, 3] | None = None
    """Questions of one training stage: of `scenes`, of which None mixes the three equally, or of
    a file of samples, whose rows name it or none."""
    limit: int | None = Field(None, ge=1)
    """Most items of each benchmark; None takes all, of `scenes` 200."""
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
    """System turn; None is that of the benchmark's wording, none where it has none; of `scenes` and
    of the `think` wording it is as the model was trained; empty for none."""
    media: MediaConfig | None = None
    """How media are read; None as the model was trained."""
    fps: float | None = None
    """Laid over `media`: frames sampled per second of video."""
    max_frames: int | None = None
    """Laid over `media`: most frames of a video."""
    max_pixels: int | None = None
    """Laid over `media`: most pixels of a frame."""
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

    @model_validator(mode="after")
    def _named_server(self) -> EvalConfig:
        if self.backend == "openai" and not (self.served.url and self.served.model):
            raise ValueError("backend openai needs --base-url and --served-model")
        if self.backend == "hf" and self.served != ServedConfig():
            raise ValueError("--base-url and --served-model are for --backend openai")
        return self
