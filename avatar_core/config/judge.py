"""Who judges reasoning and answers, and how patiently it is asked."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from avatar_core.config.base import Frozen

JUDGE_FREE_ON_RESUME = frozenset(
    {
        "judge.url",
        "judge.api_key_env",
        "judge.concurrency",
        "judge.timeout_seconds",
        "judge.total_seconds",
        "judge.max_tries",
        "judge.max_failures",
        "judge.cache",
        "judge.cache_entries",
    }
)
"""Dotted fields that a resumed run may change: where the judge is and how patiently it is asked."""


def redacted(address: str) -> str:
    """An address without what may be a key in it: all before its @, and its query.

    >>> redacted("https://user:key@example.com/v1?token=key")
    'https://***@example.com/v1?***'
    """
    scheme, mark, rest = address.partition("://")
    before, at, host = (rest if mark else address).rpartition("@")
    # After a ? the @ may be one of the query, and what follows it a part of the key.
    shown = "***" if "?" in before else f"***@{host}" if at else host
    plain, query, _ = shown.partition("?")
    lead = f"{scheme}{mark}" if mark else ""
    return f"{lead}{plain}{'?***' if query else ''}"


def plain_address(url: str, key_setting: str) -> str:
    """The base address of a server without its last slash, if it is whole and holds no key.

    Args:
        url: as it was given.
        key_setting: setting or flag that names the environment variable of the key, for the error.

    Raises:
        ValueError: it is no such address; the text does not repeat it.
    """
    advice = "give a whole address such as http://127.0.0.1:8000/v1"
    # Splitting drops line ends and tabs, which a request would refuse; a printable blank as well.
    if not (url.isascii() and url.isprintable()) or " " in url:
        raise ValueError(advice)
    try:
        parts = urlsplit(url)
        # One that is no number is found when it is asked for.
        port = parts.port
    except ValueError as error:
        raise ValueError(advice) from error
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise ValueError(advice)
    if parts.username is not None or parts.password is not None or parts.query:
        raise ValueError(f"the address must hold no key; name its variable in {key_setting}")
    return url.rstrip("/")


class JudgeConfig(Frozen):
    """The judge of the `judge` reward."""

    kind: Literal["scripted", "served", "local"] = "scripted"
    """`scripted` checks `scenes` by their facts, `served` asks a server, `local` loads a model."""
    model: str = "OpenGVLab/InternVL3-2B-hf"
    """Name that the server knows the judge by; for `local` a directory or a hub id."""
    url: str | None = None
    """Base address of an OpenAI-compatible server, such as http://127.0.0.1:8000/v1."""
    api_key_env: str | None = None
    """Environment variable that holds the server's key; None sends no key."""
    frames: int = Field(8, ge=0)
    """Evenly spaced frames shown to the judge; 0 for a judge that reads text only."""
    frame_side: int = Field(448, ge=28)
    """Frames with a longer side are reduced to this many pixels."""
    max_new_tokens: int = Field(512, ge=1)
    """Length limit of a reply."""
    concurrency: int = Field(8, ge=1, le=256)
    """Requests that a server gets at the same time."""
    batch_size: int = Field(8, ge=1)
    """Completions that a local judge grades at the same time."""
    device: str | None = None
    """Torch device of a local judge; None takes the first GPU when there is one, else the CPU."""
    timeout_seconds: float = Field(60.0, gt=0)
    """A request without a complete reply after this long is given up and tried again."""
    total_seconds: float = Field(120.0, gt=0)
    """Limit of all tries for one completion with the waits between them."""
    max_tries: int = Field(5, ge=1)
    """Tries for one completion."""
    max_failures: int = Field(20, ge=1)
    """Completions left without a verdict in a row before the run is saved and stops."""
    unparsed: Literal["unscored", "zero"] = "unscored"
    """A reply without scores leaves the completion unscored, or gives 0 as in the release."""
    cache: str | None = None
    """SQLite file of replies; None keeps it in the run directory."""
    cache_entries: int = Field(1_000_000, ge=1)
    """Replies kept; the oldest leave first."""

    @field_validator("url")
    @classmethod
    def _plain_address(cls, url: str | None) -> str | None:
        return None if url is None else plain_address(url, "judge.api_key_env")

    @model_validator(mode="after")
    def _served_has_address(self) -> JudgeConfig:
        if self.kind == "served" and self.url is None:
            raise ValueError("judge.kind='served' needs judge.url, the address of the server")
        return self
