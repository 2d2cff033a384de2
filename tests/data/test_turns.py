"""Tests of data/turns.py: the question and reply of chat messages, the tags of a text."""

from __future__ import annotations

import pytest

from avatar_core.data.turns import Turns, Untagged, text_of, turns_of, untagged
from avatar_core.errors import DataError

USER = {"role": "user", "content": "<video> What is <audio>heard?"}


def test_tags_leave_the_text_and_keep_their_order() -> None:
    cases = {
        "<image>See <video> this.  <video>": Untagged("See this.", ("image", "video", "video")),
        "<image>\n<video>Compare <audio> them.": Untagged(
            "Compare them.", ("image", "video", "audio")
        ),
        " a < b <clip>? ": Untagged("a < b <clip>?", ()),
        "no tag ": Untagged("no tag", ()),
        "<video>": Untagged("", ("video",)),
    }
    for text, expected in cases.items():
        assert untagged(text) == expected
    assert len(cases) == 5


def test_messages_give_the_user_and_the_reply() -> None:
    system = {"role": "system", "content": "Think."}
    reply = {"role": "assistant", "content": " <answer>B</answer> "}
    text = "<video> What is <audio>heard?"
    assert turns_of([USER]) == Turns(text, None)
    assert turns_of([system, USER]) == Turns(text, None)
    assert turns_of([system, USER, reply]) == Turns(text, "<answer>B</answer>")
    # A reply of white space is none.
    assert turns_of([USER, {"role": "assistant", "content": " \n"}]) == Turns(text, None)


def test_content_in_parts_is_joined() -> None:
    parts = [{"type": "text", "text": "What "}, {"type": "text", "text": "is it?"}]
    assert text_of(parts, "question") == "What is it?"
    assert turns_of([{"role": "user", "content": parts}]).text == "What is it?"


@pytest.mark.parametrize(
    ("messages", "message"),
    [
        ("hello", "a list of objects"),
        (["hello"], "a list of objects"),
        ({"role": "user"}, "a list of objects"),
        ([], "one user turn"),
        ([USER, USER], "one user turn"),
        ([{"role": "assistant", "content": "x"}, USER], "one user turn"),
        ([{"role": ["user"], "content": "x"}], "one user turn"),
        ([{"role": "user"}], "content of a message must be text"),
        ([{"role": "user", "content": [{"type": "image"}]}], "content of a message must be text"),
        ([USER, {"role": "assistant", "content": "<video>"}], "turn holds the tag <video>"),
    ],
)
def test_what_is_not_one_question_is_refused(messages: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        turns_of(messages)


@pytest.mark.parametrize("value", [5, None, {"text": "x"}, ["x"], [{"text": 5}]])
def test_what_is_no_text_is_refused(value: object) -> None:
    with pytest.raises(DataError, match="question must be text"):
        text_of(value, "question")
