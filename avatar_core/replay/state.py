"""A buffer's content as plain values, and the checks it passes on the way back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from pydantic import ConfigDict, Field, ValidationError

from avatar_core.config.base import Frozen
from avatar_core.errors import CheckpointError
from avatar_core.types import Completion, Group

SCHEMA = 1
_ARRAYS: dict[str, type[np.generic]] = {"token_ids": np.int32, "logprobs": np.float32}


class Stored(NamedTuple):
    """A group in the buffer."""

    number: int
    """Insertion number: larger is newer, never used twice."""
    group: Group
    reuse: int
    """Draws that took at least one of its completions."""


class Known(NamedTuple):
    """What is remembered of a prompt."""

    window: Sequence[float]
    """Its last fresh unhinted rewards, oldest first."""
    visits: int
    """Groups ever inserted."""


class Content(NamedTuple):
    """Everything a buffer holds besides its settings."""

    next_number: int
    """Insertion number of the next group."""
    prompts: Mapping[str, Known]
    groups: Sequence[Stored]
    """Oldest first."""


class _Row(Frozen):
    model_config = ConfigDict(strict=True)


class _CompletionRow(_Row):
    tokens: int = Field(ge=0)
    text: str
    truncated: bool
    reward: float | None
    parts: dict[str, float | None]


class _GroupRow(_Row):
    number: int = Field(ge=0)
    prompt_id: str
    step: int
    hinted: bool
    media_key: str
    reuse: int = Field(ge=0)
    completions: list[_CompletionRow]


class _PromptRow(_Row):
    window: list[float]
    visits: int = Field(ge=0)


class _Records(_Row):
    schema_version: Literal[1]
    next_number: int = Field(ge=0)
    prompts: dict[str, _PromptRow]
    groups: list[_GroupRow]


def scored_count(group: Group) -> int:
    """Number of completions that have a reward."""
    return sum(member.reward is not None for member in group.completions)


def pack(content: Content) -> dict[str, Any]:
    """Turn a buffer's content into JSON values, with joined token ids and log-probs in "arrays"."""
    members = [member for stored in content.groups for member in stored.group.completions]
    return {
        "schema_version": SCHEMA,
        "next_number": content.next_number,
        "prompts": {
            prompt_id: {"window": list(known.window), "visits": known.visits}
            for prompt_id, known in content.prompts.items()
        },
        "groups": [_group_record(stored) for stored in content.groups],
        "arrays": {
            name: np.concatenate(
                [np.empty(0, dtype), *(getattr(member, name) for member in members)]
            )
            for name, dtype in _ARRAYS.items()
        },
    }


def unpack(state: Mapping[str, Any]) -> Content:
    """Rebuild the content from `pack`'s values.

    Raises:
        CheckpointError: a field is missing, unknown or of the wrong type, or lengths, numbers and
        prompts do not
            add up.
    """
    arrays = state.get("arrays")
    try:
        records = _Records.model_validate({k: v for k, v in state.items() if k != "arrays"})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise _unsound(f"{place}: {first['msg'].lower()}") from error
    _check_groups(records)
    lengths = [member.tokens for group in records.groups for member in group.completions]
    ids, logprobs = (_split(arrays, name, lengths) for name in _ARRAYS)
    return Content(
        records.next_number,
        {key: Known(row.window, row.visits) for key, row in records.prompts.items()},
        [_stored(row, ids, logprobs) for row in records.groups],
    )


def _group_record(stored: Stored) -> dict[str, Any]:
    """The JSON side of a stored group."""
    group = stored.group
    return {
        "number": stored.number,
        "prompt_id": group.prompt_id,
        "step": group.step,
        "hinted": group.hinted,
        "media_key": group.media_key,
        "reuse": stored.reuse,
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
    }


def _check_groups(records: _Records) -> None:
    """Numbers rise, every group has a known prompt with enough visits, and a reward."""
    numbers = [row.number for row in records.groups] + [records.next_number]
    if any(later <= earlier for earlier, later in zip(numbers, numbers[1:], strict=False)):
        raise _unsound("insertion numbers do not rise")
    visits = {prompt_id: row.visits for prompt_id, row in records.prompts.items()}
    for row in records.groups:
        visits[row.prompt_id] = visits.get(row.prompt_id, 0) - 1
        if visits[row.prompt_id] < 0:
            raise _unsound(f"prompt {row.prompt_id!r} has more groups than visits")
        if all(member.reward is None for member in row.completions):
            raise _unsound(f"group {row.number} has no reward")


def _split(arrays: object, name: str, lengths: Sequence[int]) -> Iterator[np.ndarray]:
    """The pieces of a joined array, each its own copy so that it can be freed alone."""
    joined = arrays.get(name) if isinstance(arrays, Mapping) else None
    if not isinstance(joined, np.ndarray) or joined.dtype != _ARRAYS[name] or joined.ndim != 1:
        raise _unsound(f"array {name!r} is missing or not a {_ARRAYS[name].__name__} vector")
    if len(joined) != sum(lengths):
        raise _unsound(f"array {name!r} has {len(joined)} values, {sum(lengths)} are listed")
    ends = np.cumsum(lengths, dtype=np.int64)
    return (joined[end - size : end].copy() for end, size in zip(ends, lengths, strict=True))


def _stored(row: _GroupRow, ids: Iterator[np.ndarray], logprobs: Iterator[np.ndarray]) -> Stored:
    """Join the JSON side of a group with the next pieces of the arrays."""
    completions = tuple(
        Completion(
            next(ids), next(logprobs), member.text, member.truncated, member.reward, member.parts
        )
        for member in row.completions
    )
    group = Group(row.prompt_id, row.step, completions, row.hinted, row.media_key)
    return Stored(row.number, group, row.reuse)


def _unsound(reason: str) -> CheckpointError:
    return CheckpointError(f"replay buffer: {reason}; restore it from an earlier checkpoint")
