"""A stored group as one run of bytes: what memory holds and what lies on disk are the same.

    4 bytes   length of the head, compressed; little-endian like all that follows
    4 bytes   length of the head, plain
    head      JSON, compressed: everything but tokens
    ids       int32, of all completions one after another
    logprobs  float32, likewise

Text is a third of a group and compresses to two thirds or less; 10,000 groups of 8 × 300 tokens
would take 400 MB as Python objects and take 290 MB like this. A draw reads four of them, so the
head is one LZ4 block: a Zstandard frame, which earlier stores have and which is still read, makes a
record a tenth smaller but takes half as long again. pyarrow brings both along.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
import pyarrow
from pydantic import ConfigDict, Field, ValidationError
from pydantic_core import from_json, to_json

from avatar_core.config.base import Frozen
from avatar_core.types import Completion, Group

_IDS = np.dtype("<i4")
_LOGPROBS = np.dtype("<f4")
_LENGTHS = struct.Struct("<II")
_TOKEN_BYTES = 8
_MAX_HEAD = 64 << 20
_LZ4 = pyarrow.Codec("lz4_raw")
_ZSTANDARD = pyarrow.Codec("zstd")
_ZSTANDARD_MARK = bytes.fromhex("28b52ffd")
"""Begins every frame. An LZ4 block that begins so holds a text from 0xb5 on, and JSON a brace."""


class Content(NamedTuple):
    """What a record holds."""

    group: Group
    advantages: tuple[float, ...] | None = None
    """Of each completion when it was stored; `None` when the priority did not ask for them."""
    kl: tuple[float, ...] | None = None
    """Mean over its tokens of log π_rollout − log π_ref when it was stored, likewise."""


class Summary(NamedTuple):
    """What draws and evictions need to know of a group."""

    prompt_id: str
    step: int
    hinted: bool
    rewards: tuple[float, ...]
    """Of each completion; NaN where there is none."""
    advantages: tuple[float, ...] | None
    kl: tuple[float, ...] | None


def summary_of(content: Content) -> Summary:
    """The few numbers of a group that stay at hand."""
    group = content.group
    rewards = (member.reward for member in group.completions)
    return Summary(
        group.prompt_id,
        group.step,
        group.hinted,
        tuple(math.nan if reward is None else reward for reward in rewards),
        content.advantages,
        content.kl,
    )


class _Row(Frozen):
    model_config = ConfigDict(strict=True)


class _CompletionRow(_Row):
    tokens: int = Field(ge=0)
    text: str
    truncated: bool
    reward: float | None
    parts: dict[str, float | None]


class _Head(_Row):
    prompt_id: str
    step: int
    hinted: bool
    media_key: str
    completions: list[_CompletionRow]
    advantages: list[float] | None
    kl: list[float] | None


def encode(content: Content) -> bytes:
    """Write a group down.

    Raises:
        ValueError: a text is no sound Unicode.
    """
    group = content.group
    head = {
        "prompt_id": group.prompt_id,
        "step": group.step,
        "hinted": group.hinted,
        "media_key": group.media_key,
        "completions": [
            {
                "tokens": len(member.token_ids),
                "text": member.text,
                "truncated": member.truncated,
                "reward": member.reward,
                "parts": dict(member.parts),
            }
            for member in group.completions
        ],
        "advantages": content.advantages,
        "kl": content.kl,
    }
    plain = to_json(head)
    packed = _LZ4.compress(plain, asbytes=True)
    return b"".join(
        [
            _LENGTHS.pack(len(packed), len(plain)),
            packed,
            *(np.asarray(member.token_ids, _IDS).tobytes() for member in group.completions),
            *(np.asarray(member.logprobs, _LOGPROBS).tobytes() for member in group.completions),
        ]
    )


def decode(record: bytes) -> Content:
    """Read what `encode` wrote; see `checked` for bytes from elsewhere."""
    size, plain = _LENGTHS.unpack_from(record)
    end = _LENGTHS.size + size
    return _content(from_json(_unpacked(record[_LENGTHS.size : end], plain)), record, end)


def checked(record: bytes) -> Content:
    """Read bytes that may be anything.

    Raises:
        ValueError: they are not a record with at least one reward; says why.
    """
    if len(record) < _LENGTHS.size:
        raise ValueError("its head is cut off")
    size, plain = _LENGTHS.unpack_from(record)
    end = _LENGTHS.size + size
    if end > len(record) or plain > _MAX_HEAD:
        raise ValueError("its head is cut off, or too long")
    try:
        head = _Head.model_validate_json(_unpacked(record[_LENGTHS.size : end], plain))
    except (OSError, pyarrow.ArrowException) as error:
        raise ValueError("its head is not compressed as it should be") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "head"
        raise ValueError(f"{place}: {first['msg'].lower()}") from error
    tokens = sum(member.tokens for member in head.completions)
    if len(record) - end != tokens * _TOKEN_BYTES:
        raise ValueError(f"{len(record) - end} bytes of tokens, {tokens} tokens are listed")
    if all(member.reward is None for member in head.completions):
        raise ValueError("it has no reward")
    for values in (head.advantages, head.kl):
        if values is not None and len(values) != len(head.completions):
            raise ValueError("its values are not one for each completion")
    return _content(head.model_dump(), record, end)


def _unpacked(packed: bytes, plain: int) -> bytes:
    """The JSON of a head, `plain` bytes long."""
    codec = _ZSTANDARD if packed.startswith(_ZSTANDARD_MARK) else _LZ4
    text: bytes = codec.decompress(packed, plain, asbytes=True)
    return text


def _content(head: dict[str, Any], record: bytes, end: int) -> Content:
    lengths = [member["tokens"] for member in head["completions"]]
    ids = _pieces(record, _IDS, lengths, end)
    logprobs = _pieces(record, _LOGPROBS, lengths, end + 4 * sum(lengths))
    completions = tuple(
        Completion(token_ids, values, row["text"], row["truncated"], row["reward"], row["parts"])
        for token_ids, values, row in zip(ids, logprobs, head["completions"], strict=True)
    )
    advantages, kl = head["advantages"], head["kl"]
    return Content(
        Group(head["prompt_id"], head["step"], completions, head["hinted"], head["media_key"]),
        None if advantages is None else tuple(advantages),
        None if kl is None else tuple(kl),
    )


def _pieces(
    record: bytes, dtype: np.dtype[Any], lengths: Sequence[int], offset: int
) -> list[np.ndarray[Any, Any]]:
    """Vectors of a joined array, writable."""
    joined = np.frombuffer(record, dtype, sum(lengths), offset).astype(dtype.newbyteorder("="))
    return [joined[end - n : end] for end, n in zip(accumulate(lengths), lengths, strict=True)]
