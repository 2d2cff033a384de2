from __future__ import annotations

import json

import numpy as np
import pytest

from avatar_core.rewards.judging.chat import (
    ChatTurn,
    NoCompletion,
    Reply,
    messages_of,
    read_completion,
)
from avatar_core.rewards.judging.pictures import Picture
from avatar_core.rewards.judging.sounds import Sound
from tests.rewards.judging.chat_server import completion


def test_parts_keep_their_order() -> None:
    pictures = [Picture(np.full((28, 28, 3), level, np.uint8)) for level in (0, 255)]
    sound = Sound(np.zeros(160, np.float32), 16_000)
    system, user = messages_of(
        ChatTurn(("First", pictures[0], sound, "then", pictures[1]), "Be brief.")
    )
    assert system == {"role": "system", "content": "Be brief."}
    assert user == {
        "role": "user",
        "content": [
            {"type": "text", "text": "First"},
            {"type": "image_url", "image_url": {"url": pictures[0].data_url}},
            {"type": "input_audio", "input_audio": {"data": sound.wav, "format": "wav"}},
            {"type": "text", "text": "then"},
            {"type": "image_url", "image_url": {"url": pictures[1].data_url}},
        ],
    }


def test_a_text_alone_is_plain() -> None:
    assert messages_of(ChatTurn(("Hello",))) == [{"role": "user", "content": "Hello"}]
    (user,) = messages_of(ChatTurn(("Hello", "you")))
    assert isinstance(user["content"], list)


def document(**message: object) -> bytes:
    finish = message.pop("finish", "stop")
    return json.dumps({"choices": [{"message": message, "finish_reason": finish}]}).encode()


@pytest.mark.parametrize(
    ("data", "reply"),
    [
        (completion("yes"), Reply("yes")),
        (completion("yes", "length"), Reply("yes", truncated=True)),
        (completion(""), Reply("")),
        (document(content="no reason given", finish=None), Reply("no reason given")),
        (b'{"choices": [{"message": {"content": "bare"}}]}', Reply("bare")),
        (document(content=None, refusal="I would rather not."), Reply("I would rather not.")),
        # All tokens went into reasoning that the server keeps to itself.
        (document(content=None, finish="length"), Reply("", truncated=True)),
        (document(finish="length"), Reply("", truncated=True)),
        # Half of a pair, which no file could hold.
        (b'{"choices": [{"message": {"content": "a\\ud800b"}}]}', Reply("a?b")),
    ],
)
def test_what_a_completion_says(data: bytes, reply: Reply) -> None:
    assert read_completion(data) == reply


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no chat completion"),
        (b"[1]", "no chat completion"),
        (b'{"error": {"message": "down"}}', "no chat completion"),
        (b'{"choices": ["yes"]}', "no chat completion"),
        (b'{"choices": [{"message": "yes"}]}', "no chat completion"),
        (b"[" * 100_000, "no chat completion"),
        (document(content=None), "without text"),
        (document(content=["yes"]), "without text"),
        (document(content=None, finish="content_filter"), "without text"),
        (document(content=3, finish="length"), "without text"),
    ],
)
def test_what_is_no_completion(data: bytes, reason: str) -> None:
    with pytest.raises(NoCompletion, match=reason):
        read_completion(data)
