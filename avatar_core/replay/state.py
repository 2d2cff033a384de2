"""A buffer's content as plain values, and the checks it passes on the way back."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from pydantic import ConfigDict, Field, ValidationError

from avatar_core.config.base import Frozen
from avatar_core.errors import CheckpointError
from avatar_core.replay.record import Summary, checked, decode, summary_of
from avatar_core.types import Group

SCHEMA = 2


class Stored(NamedTuple):
    """A group in the buffer."""

    number: int
    """Insertion number: larger is newer, never used twice."""
    group: Group
    reuse: int
    """Updates that trained on at least one of its completions."""
    advantages: tuple[float, ...] | None = None
    """Of each completion when it was stored; `None` when they were not given."""
    kl: tuple[float, ...] | None = None
    """Of each completion to the reference when it was stored; `None` when it was not given."""


class Kept(NamedTuple):
    """A group as the buffer holds it."""

    number: int
    reuse: int
    digest: str | None
    """Of the record, to tell on disk what is already there; `None` until it is asked for."""
    record: bytes

    def open(self) -> Stored:
        """Read the record."""
        content = decode(self.record)
        return Stored(self.number, content.group, self.reuse, content.advantages, content.kl)


class Known(NamedTuple):
    """What is remembered of a prompt."""

    window: Sequence[float]
    """Its last fresh unhinted rewards, oldest first."""
    visits: int
    """Groups ever inserted."""


class Snapshot(NamedTuple):
    """Everything a buffer holds besides its settings."""

    next_number: int
    """Insertion number of the next group."""
    latest_step: int
    """Largest policy step of any group ever inserted."""
    prompts: Mapping[str, Known]
    kept: Sequence[Kept]
    """Oldest first."""


class Opened(NamedTuple):
    """A sound snapshot with its records read."""

    snapshot: Snapshot
    summaries: Sequence[Summary]
    """Of each kept group."""


class _Row(Frozen):
    model_config = ConfigDict(strict=True)


class _GroupRow(_Row):
    number: int = Field(ge=0)
    reuse: int = Field(ge=0)
    digest: str


class _PromptRow(_Row):
    window: list[float]
    visits: int = Field(ge=0)


class _Values(_Row):
    schema_version: Literal[2]
    next_number: int = Field(ge=0)
    latest_step: int
    prompts: dict[str, _PromptRow]
    groups: list[_GroupRow]


def digest_of(record: bytes) -> str:
    """Digest that names a record."""
    return hashlib.blake2b(record, digest_size=16).hexdigest()


def pack(snapshot: Snapshot) -> dict[str, Any]:
    """Turn a buffer's content into JSON values, with the groups' records under "records"."""
    return {
        "schema_version": SCHEMA,
        "next_number": snapshot.next_number,
        "latest_step": snapshot.latest_step,
        "prompts": {
            prompt_id: {"window": list(known.window), "visits": known.visits}
            for prompt_id, known in snapshot.prompts.items()
        },
        "groups": [
            {"number": kept.number, "reuse": kept.reuse, "digest": kept.digest}
            for kept in snapshot.kept
        ],
        "records": [kept.record for kept in snapshot.kept],
    }


def unpack(state: Mapping[str, Any]) -> Opened:
    """Rebuild the content from `pack`'s values.

    Raises:
        CheckpointError: a field is missing, unknown or of the wrong type, a record is not what its
            digest says or no record, or numbers and prompts do not add up.
    """
    try:
        values = _Values.model_validate({k: v for k, v in state.items() if k != "records"})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise _unsound(f"{place}: {first['msg'].lower()}") from error
    records = state.get("records")
    if not isinstance(records, list) or len(records) != len(values.groups):
        raise _unsound(f"records: expected a list of {len(values.groups)}")
    summaries = [_opened(row, record) for row, record in zip(values.groups, records, strict=True)]
    _check_groups(values, summaries)
    kept = [
        Kept(row.number, row.reuse, row.digest, record)
        for row, record in zip(values.groups, records, strict=True)
    ]
    prompts = {key: Known(row.window, row.visits) for key, row in values.prompts.items()}
    return Opened(Snapshot(values.next_number, values.latest_step, prompts, kept), summaries)


def _opened(row: _GroupRow, record: object) -> Summary:
    if not isinstance(record, bytes) or digest_of(record) != row.digest:
        raise _unsound(f"group {row.number} is not what its digest says")
    try:
        return summary_of(checked(record))
    except ValueError as error:
        raise _unsound(f"group {row.number}: {error}") from error


def _check_groups(values: _Values, summaries: Sequence[Summary]) -> None:
    """Numbers rise, every group has a known prompt with enough visits and no later step."""
    numbers = [row.number for row in values.groups] + [values.next_number]
    if any(later <= earlier for earlier, later in zip(numbers, numbers[1:], strict=False)):
        raise _unsound("insertion numbers do not rise")
    visits = {prompt_id: row.visits for prompt_id, row in values.prompts.items()}
    for prompt_id, step, *_ in summaries:
        visits[prompt_id] = visits.get(prompt_id, 0) - 1
        if visits[prompt_id] < 0:
            raise _unsound(f"prompt {prompt_id!r} has more groups than visits")
        if step > values.latest_step:
            raise _unsound(f"prompt {prompt_id!r} has a group of a later step than the latest")


def _unsound(reason: str) -> CheckpointError:
    return CheckpointError(f"replay buffer: {reason}; restore it from an earlier checkpoint")
