"""What a chat model is asked and what it replies, and how OpenAI-compatible servers write that."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from avatar_core.rewards.judging.pictures import Picture
from avatar_core.rewards.judging.sounds import Sound

Part: TypeAlias = Picture | Sound | str
"""One piece of a user turn."""


@dataclass(frozen=True, slots=True, eq=False)
class ChatTurn:
    """A system text where there is one, then one user turn of parts in order."""

    content: tuple[Part, ...]
    system: str | None = None


class Reply(NamedTuple):
    """What came back for one prompt."""

    text: str | None
    """What was written; `None` when nothing came back."""
    reason: str = ""
    """Why nothing came back."""
    truncated: bool = False
    """The server says that the text stopped at the length limit."""


class NoCompletion(ValueError):
    """Bytes that hold no reply; the text says why, in a few words."""


def messages_of(turn: ChatTurn) -> list[dict[str, object]]:
    """The messages of a chat-completions request; a text by itself is sent as plain text."""
    match turn.content:
        case (str() as text,):
            content: object = text
        case _:
            content = [_part(part) for part in turn.content]
    user: dict[str, object] = {"role": "user", "content": content}
    return [user] if turn.system is None else [{"role": "system", "content": turn.system}, user]


def _part(part: Part) -> dict[str, object]:
    match part:
        case str():
            return {"type": "text", "text": part}
        case Picture():
            return {"type": "image_url", "image_url": {"url": part.data_url}}
        case Sound():
            return {"type": "input_audio", "input_audio": {"data": part.wav, "format": "wav"}}


def read_completion(data: bytes) -> Reply:
    """The reply in the body of a chat completion.

    A refusal in the field of its own is what the model wrote. A model that spent all its tokens on
    reasoning that the server keeps back wrote nothing, and was cut short.

    Raises:
        NoCompletion: the body is no chat completion or holds no text.
    """
    try:
        choice = json.loads(data)["choices"][0]
        message = choice["message"]
        truncated = choice.get("finish_reason") == "length"
        written = [message.get("content"), message.get("refusal")]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
        raise NoCompletion("a reply that is no chat completion") from error
    texts = [text for text in written if isinstance(text, str)]
    if truncated and written == [None, None]:
        texts = [""]
    if not texts:
        raise NoCompletion("a reply without text")
    # JSON can spell half a character, which neither files nor databases can hold.
    return Reply(texts[0].encode(errors="replace").decode(), truncated=truncated)
