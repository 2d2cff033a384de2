"""The shapes in which data sets write a row, each brought into one: a draft, not yet checked.

Told by the keys of the row:

- `question`: the project's own rows, and those of the authors' third stage, which name no
  `problem_type`.
- `messages`: the authors' first two stages and every other data set for ms-swift. `prompt_id` is
  the id. A `question` beside the messages is not put to the model; it stays in `extra`.
- `problem`: Video-R1. One file under `path`, its kind in `data_type`, `problem_id` as the id, and
  in the data for supervised training the reasoning in `process`.

Keys with the value null count as absent, as tables exported to JSON have every key in every row.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from avatar_core.data.media_files import MEDIA_KEYS
from avatar_core.data.turns import text_of, turns_of
from avatar_core.errors import DataError
from avatar_core.naming import nearest
from avatar_core.types import MediaKind

SIMILARITY = 0.8
"""Least share of matching characters at which an unknown key is taken for a misspelt one."""
_SHARED = frozenset({"id", "solution", "problem_type", "options", "stage", "hint", "response"})
_NATIVE = _SHARED | {"question", "prompt_id", *MEDIA_KEYS.values()}
_CHAT = _SHARED | {"messages", "prompt_id", *MEDIA_KEYS.values()}
_VIDEO_R1 = _SHARED | {"problem", "problem_id", "data_type", "path", "process"}
_EVERY = _NATIVE | _CHAT | _VIDEO_R1


class Draft(NamedTuple):
    """A row whatever its dialect; what is `object` stands as it was given."""

    text: str
    """The question with its media tags."""
    media: Mapping[MediaKind, object]
    """Files by kind."""
    given: Mapping[str, Any]
    """The row's fields under the names of the project's own rows."""
    extra: Mapping[str, object]
    """Fields without a meaning in the dialect."""
    response: object = None
    """A whole reply for supervised training."""
    reasoning: object = None
    """The reasoning of a reply whose answer is the solution."""


def draft_of(row: Mapping[str, Any]) -> Draft:
    """Bring a row into the one shape.

    Raises:
        DataError: the row speaks no dialect or two of them, or lacks what its dialect needs.
    """
    spoken = [key for key in DIALECTS if row.get(key) is not None]
    if not spoken:
        raise DataError(
            "no question; give it in question, messages or problem" + misspelt(DIALECTS, row)
        )
    if "problem" in spoken and len(spoken) > 1:
        raise DataError(f"both {spoken[0]} and {spoken[1]} are given; give the question once")
    draft = DIALECTS[spoken[0]](row)
    if not any(draft.media.values()):
        raise DataError(
            "no media; name files under videos, images or audios"
            + misspelt(MEDIA_KEYS.values(), row)
        )
    return draft


def native_row(row: Mapping[str, Any]) -> Draft:
    """A row of the project's own shape, or of the authors' third stage."""
    return Draft(
        text=text_of(row["question"], "question"),
        media={kind: row.get(key) for kind, key in MEDIA_KEYS.items()},
        given=_given(row, "prompt_id"),
        extra=_without(row, _NATIVE),
        response=row.get("response"),
    )


def chat_row(row: Mapping[str, Any]) -> Draft:
    """A row with chat messages, as ms-swift and the authors' first two stages have them."""
    turns = turns_of(row["messages"])
    response = row.get("response")
    if turns.response and response and response != turns.response:
        raise DataError("response differs from the assistant's turn; give one of them")
    return Draft(
        text=turns.text,
        media={kind: row.get(key) for kind, key in MEDIA_KEYS.items()},
        given=_given(row, "prompt_id"),
        extra=_without(row, _CHAT),
        response=response or turns.response,
    )


def video_r1_row(row: Mapping[str, Any]) -> Draft:
    """A row of Video-R1."""
    kind, path = row.get("data_type"), row.get("path")
    if not isinstance(kind, str) or kind not in MEDIA_KEYS:
        near = nearest(str(kind)[:60], list(MEDIA_KEYS))
        raise DataError(f"data_type {str(kind)[:60]!r} does not exist{near}")
    if not path or not isinstance(path, str | list):
        raise DataError(f"path {str(path)[:60]!r} names no file; give a file path")
    return Draft(
        text=text_of(row["problem"], "problem"),
        media={kind: [path] if isinstance(path, str) else path},
        given=_given(row, "problem_id"),
        extra=_without(row, _VIDEO_R1),
        response=row.get("response"),
        reasoning=row.get("process"),
    )


def misspelt(wanted: Collection[str], row: Mapping[str, Any]) -> str:
    """The end of an error about a missing key: an unknown key of the row that may be meant."""
    unknown = [key for key in row if key not in _EVERY]
    for name in wanted:
        if near := difflib.get_close_matches(name, unknown, n=1, cutoff=SIMILARITY):
            return f"; is {near[0]!r} meant for {name!r}?"
    return ""


DIALECTS: Mapping[str, Callable[[Mapping[str, Any]], Draft]] = {
    "messages": chat_row,
    "problem": video_r1_row,
    "question": native_row,
}
"""By the key that tells a dialect; the first one that a row has counts."""


def _given(row: Mapping[str, Any], id_key: str) -> dict[str, Any]:
    fields = {key: row.get(key) for key in _SHARED}
    if fields["id"] is None:
        fields["id"] = row.get(id_key)
    return fields


def _without(row: Mapping[str, Any], known: Collection[str]) -> dict[str, Any]:
    # The name that was not taken for the id says something of its own.
    spare = {"prompt_id", "problem_id"} if row.get("id") is not None else set()
    return {key: value for key, value in row.items() if key not in known or key in spare}
