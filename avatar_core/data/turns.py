"""The words and the media of a row: chat messages, media tags, files below the media root."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from avatar_core.errors import DataError
from avatar_core.files import contained_path
from avatar_core.types import MediaKind, MediaRef

MEDIA_KEYS: dict[MediaKind, str] = {"video": "videos", "image": "images", "audio": "audios"}
_TAG = re.compile(r"<(video|image|audio)>[ \t]?")


class Turns(NamedTuple):
    """What a row says."""

    question: str
    """The user's text without media tags."""
    kinds: tuple[MediaKind, ...]
    """Kinds of the media tags, in order of the text."""
    response: str | None
    """The assistant's text, for supervised training."""


def turns_of(row: Mapping[str, Any]) -> Turns:
    """Read the question of a row from `question` or `messages`; its system turn is not used.

    Raises:
        DataError: both or neither are given, or the messages are not one question with at most one
            reply.
    """
    if ("question" in row) == ("messages" in row):
        raise DataError("give either question or messages")
    if "question" in row:
        text, response = _text(row["question"], "question"), None
    else:
        text, response = _from_messages(row["messages"])
    kinds: tuple[Any, ...] = tuple(match[1] for match in _TAG.finditer(text))
    return Turns(_TAG.sub("", text).strip(), kinds, response)


def media_of(
    row: Mapping[str, Any], kinds: Sequence[MediaKind], root: Path
) -> tuple[MediaRef, ...]:
    """Files of a row in prompt order: that of the tags, else videos, images, audios.

    Raises:
        DataError: there is no file, one is missing or outside the root, or the tags of the text do
            not agree with the files.
    """
    given = {kind: _names(row.get(key), key) for kind, key in MEDIA_KEYS.items()}
    if not any(given.values()):
        raise DataError("no media; name files under videos, images or audios")
    for kind, names in given.items():
        if kinds and kinds.count(kind) != len(names):
            raise DataError(
                f"{kinds.count(kind)} <{kind}> tags but {len(names)} {MEDIA_KEYS[kind]}; "
                "give one tag per file, or none at all"
            )
    order = kinds or [kind for kind, names in given.items() for _ in names]
    waiting = {kind: iter(names) for kind, names in given.items()}
    return tuple(MediaRef(kind, _existing(root, next(waiting[kind]))) for kind in order)


def _from_messages(messages: object) -> tuple[str, str | None]:
    """The text of the only user turn, and that of an assistant turn behind it."""
    if not isinstance(messages, list) or not all(isinstance(turn, dict) for turn in messages):
        raise DataError("messages must be a list of objects with role and content")
    spoken = [turn for turn in messages if turn.get("role") != "system"]
    if [turn.get("role") for turn in spoken] not in (["user"], ["user", "assistant"]):
        raise DataError(
            "messages must hold one user turn, with at most one assistant turn behind it"
        )
    texts = [_text(turn.get("content"), "content of a message") for turn in spoken]
    return texts[0], texts[1].strip() or None if len(texts) > 1 else None


def _text(value: object, name: str) -> str:
    """A text, or the joined texts of a list of {"type": "text"} parts."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(
        isinstance(part, dict) and isinstance(part.get("text"), str) for part in value
    ):
        return "".join(part["text"] for part in value)
    raise DataError(f"{name} must be text; name media under videos, images or audios")


def _names(value: object, key: str) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(name, str) and name for name in value):
        raise DataError(f"{key} must be a list of file paths")
    return value


def _existing(root: Path, name: str) -> str:
    """Absolute path of a file below the root."""
    path = contained_path(root, name)
    if not path.is_file():
        raise DataError(f"media file {name!r} is not in {root}; check the path")
    return str(path)
