"""What is said in a row: chat messages, and the media tags in a text."""

from __future__ import annotations

import re
from typing import NamedTuple, cast

from avatar_core.errors import DataError
from avatar_core.types import MediaKind

_TAG = re.compile(r"<(video|image|audio)>[ \t]?")


class Turns(NamedTuple):
    """A chat of one question."""

    text: str
    """The user's text, with its media tags."""
    response: str | None
    """The assistant's text, for supervised training."""


class Untagged(NamedTuple):
    """A text without its media tags."""

    text: str
    kinds: tuple[MediaKind, ...]
    """What the tags stood for, in order."""


def turns_of(messages: object) -> Turns:
    """The only user turn of chat messages and the reply behind it; a system turn is not used.

    Raises:
        DataError: the messages are not one question with at most one reply, or media are tagged
            elsewhere than in the question.
    """
    if not isinstance(messages, list) or not all(isinstance(turn, dict) for turn in messages):
        raise DataError("messages must be a list of objects with role and content")
    spoken = [turn for turn in messages if turn.get("role") != "system"]
    if [turn.get("role") for turn in spoken] not in (["user"], ["user", "assistant"]):
        raise DataError(
            "messages must hold one user turn, with at most one assistant turn behind it"
        )
    texts = [text_of(turn.get("content"), "content of a message") for turn in spoken]
    reply = texts[1].strip() if len(texts) > 1 else ""
    if tag := _TAG.search(reply):
        raise DataError(f"the assistant's turn holds the tag <{tag[1]}>; tag media in the question")
    return Turns(texts[0], reply or None)


def text_of(value: object, name: str) -> str:
    """A text, or the joined texts of a list of {"type": "text"} parts."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(
        isinstance(part, dict) and isinstance(part.get("text"), str) for part in value
    ):
        return "".join(part["text"] for part in value)
    raise DataError(f"{name} must be text; name media under videos, images or audios")


def untagged(text: str) -> Untagged:
    """Take the tags <video>, <image> and <audio> out of a text."""
    if "<" not in text:
        return Untagged(text.strip(), ())
    kinds = tuple(cast(MediaKind, match[1]) for match in _TAG.finditer(text))
    return Untagged(_TAG.sub("", text).strip(), kinds)
