from __future__ import annotations

import pytest

from avatar_core.config.judge import JUDGE_FREE_ON_RESUME, JudgeConfig, plain_address, redacted
from avatar_core.config.resolve import resolve_train, validate
from avatar_core.errors import UsageError


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({"kind": "served"}, "needs judge.url"),
        ({"url": "127.0.0.1:8000/v1"}, "give a whole address"),
        ({"url": "file:///etc/passwd"}, "give a whole address"),
        ({"url": "http://"}, "give a whole address"),
        ({"url": "http://[x"}, "give a whole address"),
        ({"url": "http://host:99999/v1"}, "give a whole address"),
        ({"url": "http://host:0/v1"}, "give a whole address"),
        ({"url": "http://127.0.0.1:8000/v1\r"}, "give a whole address"),
        ({"url": "http://127.0.0.1:80\t00/v1"}, "give a whole address"),
        ({"url": "http://a…b:8000/v1"}, "give a whole address"),
        ({"url": "http://a b:8000/v1"}, "give a whole address"),
        ({"url": "https://user:canary@example.com/v1"}, "must hold no key"),
        ({"url": "https://example.com/v1?key=canary"}, "must hold no key"),
        ({"frames": -1}, "frames"),
        ({"max_tries": 0}, "max_tries"),
        ({"temperature": 1.0}, "unknown configuration key"),
    ],
)
def test_what_cannot_work_is_refused(tree: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        validate(JudgeConfig, tree)


def test_the_address_loses_its_last_slash() -> None:
    assert JudgeConfig(url="http://127.0.0.1:8000/v1/").url == "http://127.0.0.1:8000/v1"


def test_an_address_is_told_where_its_key_belongs() -> None:
    assert plain_address("https://h:8000/v1/", "--key") == "https://h:8000/v1"
    with pytest.raises(ValueError, match="hold no key; name its variable in --key$") as caught:
        plain_address("https://u:canary@h/v1", "--key")
    assert "canary" not in str(caught.value)


def test_fields_that_a_resumed_run_may_change_exist() -> None:
    names = {name.removeprefix("judge.") for name in JUDGE_FREE_ON_RESUME}
    assert names < JudgeConfig.model_fields.keys()
    # What a verdict hangs on stays as it was.
    assert not names & {"kind", "model", "frames", "frame_side", "max_new_tokens", "unparsed"}


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1"),
        ("https://u:canary@h/v1", "https://***@h/v1"),
        ("u:can@ary@h/v1", "***@h/v1"),
        ("https://h/v1?key=canary", "https://h/v1?***"),
        ("https://h/v1?key=can@ary", "https://***"),
        ("https://u:can?ary@h/v1", "https://***"),
    ],
)
def test_a_key_in_an_address_is_not_shown(address: str, shown: str) -> None:
    assert redacted(address) == shown


@pytest.mark.parametrize(
    "address",
    [
        "https://user:canary@example.com/v1",
        "user:canary@example.com/v1",
        f"https://user:canary{'x' * 100}@example.com/v1",
        "https://example.com/v1?key=canary",
    ],
)
def test_a_refusal_does_not_repeat_the_key(address: str) -> None:
    for key, tree in (("judge.url", {"url": address}), ("judge", address)):
        with pytest.raises(UsageError) as caught:
            resolve_train(stage=1, flags={"judge": tree})
        assert f"configuration key {key}=" in str(caught.value)
        assert "canary" not in str(caught.value)
        assert "example.com" in str(caught.value)
