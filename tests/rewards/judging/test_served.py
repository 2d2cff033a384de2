from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from avatar_core.rewards.judging.chat import ChatTurn, Reply
from avatar_core.rewards.judging.judge import JudgeRequest
from avatar_core.rewards.judging.pictures import pictures_of
from avatar_core.rewards.judging.rubric import ChatPrompt
from avatar_core.rewards.judging.rubric_judge import RubricJudge
from avatar_core.rewards.judging.served import ServedModel, Server
from tests.rewards.judging.cases import SAMPLE, clip_of, completions
from tests.rewards.judging.chat_server import (
    MEAN,
    VERDICT,
    Behaviour,
    body,
    completion,
    drip_headers,
    drop,
    hang,
    ok,
    says,
    serving,
    slowly,
    status,
    truncated,
)

PROMPT = ChatPrompt("Grade this.")
CANARY = "canary-key-7f3a"


class Asked:
    """One prompt put to a server, with the waits it took instead of waiting."""

    def __init__(self, url: str, *, clock: float = 0.0, **changes: Any) -> None:
        self.waits: list[float] = []

        async def sleep(seconds: float) -> None:
            self.waits.append(seconds)

        server = replace(Server(url, "some judge", timeout_seconds=20.0), **changes)
        self.model = ServedModel(server, sleep=sleep, clock=lambda: clock)
        (self.reply,) = self.model.answer([PROMPT])


def ask(behaviours: Sequence[Behaviour], **changes: Any) -> tuple[Reply, list[float], int]:
    """Reply, waits and number of requests of one prompt."""
    with serving(*behaviours) as server:
        asked = Asked(server.url, **changes)
        return asked.reply, asked.waits, len(server.requests)


def test_a_request_holds_model_text_and_pictures() -> None:
    prompt = ChatPrompt("Grade this.", pictures_of(clip_of(16), 2, 448))
    with serving(ok) as server:
        model = ServedModel(Server(server.url, "some judge", key=CANARY, max_new_tokens=77))
        assert model.answer([prompt]) == [Reply(VERDICT)]
        ((path, headers, sent),) = server.requests
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == f"Bearer {CANARY}"
    assert (sent["model"], sent["temperature"], sent["max_tokens"]) == ("some judge", 0.0, 77)
    ((role, content),) = [(turn["role"], turn["content"]) for turn in sent["messages"]]
    assert role == "user"
    assert [part["type"] for part in content] == ["image_url", "image_url", "text"]
    assert content[0]["image_url"]["url"] == prompt.pictures[0].data_url
    assert content[2]["text"] == "Grade this."


def test_without_pictures_the_content_is_plain_text_and_without_a_key_none_is_sent() -> None:
    with serving(ok) as server:
        Asked(server.url)
        _, headers, sent = server.requests[0]
    assert sent["messages"] == [{"role": "user", "content": "Grade this."}]
    assert "Authorization" not in headers


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        (status(500), "HTTP 500 Internal Server Error, 5 times"),
        (status(503), "HTTP 503 Service Unavailable, 5 times"),
        (status(429), "HTTP 429 Too Many Requests, 5 times"),
        (status(408), "HTTP 408 Request Timeout, 5 times"),
        (status(599), "HTTP 599, 5 times"),
        (drop, "RemoteProtocolError"),
        (truncated, "RemoteProtocolError"),
    ],
)
def test_passing_troubles_are_tried_five_times(trouble: Behaviour, reason: str) -> None:
    reply, waits, requests = ask([trouble])
    assert reply.text is None
    assert reason in reply.reason
    assert requests == 5
    # ½ · 2^(n − 1) after try n, times ½ to 1; none after the last.
    assert len(waits) == 4
    assert all(most / 2 <= wait <= most for wait, most in zip(waits, (0.5, 1, 2, 4), strict=True))


@pytest.mark.parametrize("trouble", [status(500), status(409), drop, truncated])
def test_a_server_that_recovers_gives_its_verdict(trouble: Behaviour) -> None:
    reply, waits, requests = ask([trouble, trouble, ok])
    assert reply == Reply(VERDICT)
    assert (requests, len(waits)) == (3, 2)


def test_waits_are_the_same_for_the_same_seed() -> None:
    first, again, other = (ask([status(500)], seed=seed)[1] for seed in (1, 1, 2))
    assert first == again != other


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        (status(400), "HTTP 400 Bad Request"),
        (status(401), "HTTP 401 Unauthorized"),
        (status(402), "HTTP 402 Payment Required"),
        (status(404), "HTTP 404 Not Found"),
        (status(413), "HTTP 413"),
        (status(204), "HTTP 204"),
        (body(b"<html>all is well</html>"), "no chat completion"),
        (body(b""), "no chat completion"),
        (body(b"{"), "no chat completion"),
        (body(completion(VERDICT)[:-3]), "no chat completion"),
        (body(b"\xff\xfe"), "no chat completion"),
        (body(b"[]"), "no chat completion"),
        (body(b'{"choices": []}'), "no chat completion"),
        (body(b'{"choices": [{"message": null}]}'), "no chat completion"),
        (body(b"[" * 100_000), "no chat completion"),
        (body(b'{"choices": ' * 50_000), "no chat completion"),
        (says(None), "without text"),
        (says(3), "without text"),
        (body(b"a" * (10 << 20)), "larger than"),
    ],
)
def test_lasting_troubles_are_not_tried_again(trouble: Behaviour, reason: str) -> None:
    reply, waits, requests = ask([trouble])
    assert reply.text is None
    assert reason in reply.reason
    assert (requests, waits) == (1, [])


@pytest.mark.parametrize(
    ("header", "wait"),
    [("7", 7.0), ("0", 0.0), ("Thu, 01 Jan 2026 12:00:30 GMT", 30.0)],
)
@pytest.mark.parametrize("code", [429, 503])
def test_the_wait_that_a_server_asks_for_is_kept(code: int, header: str, wait: float) -> None:
    noon = 1_767_268_800.0  # Thu, 01 Jan 2026 12:00:00 GMT
    reply, waits, requests = ask([status(code, Retry_After=header), ok], clock=noon)
    assert reply == Reply(VERDICT)
    assert (requests, waits) == (2, [wait])


def test_a_wait_longer_than_all_tries_may_take_is_not_begun() -> None:
    reply, waits, requests = ask([status(429, Retry_After="121")])
    assert "wants to be asked again in 121 s" in reply.reason
    assert (requests, waits) == (1, [])


@pytest.mark.parametrize("slow", [hang, drip_headers])
def test_a_server_that_does_not_finish_is_given_up_in_time(slow: Behaviour) -> None:
    begin = time.perf_counter()
    reply, waits, requests = ask([slow], timeout_seconds=0.2, max_tries=2)
    assert reply == Reply(None, "no reply within 0.2 s, 2 times")
    assert (requests, len(waits)) == (2, 1)
    assert time.perf_counter() - begin < 5


def test_all_tries_together_have_a_limit() -> None:
    with serving(status(500)) as server:
        limits = Server(server.url, "some judge", total_seconds=0.6, max_tries=50)
        begin = time.perf_counter()
        # Real waits: 0.25 to 0.5 s after the first try, 0.5 to 1 s after the second.
        (reply,) = ServedModel(limits).answer([PROMPT])
        assert time.perf_counter() - begin < 5
    assert reply.text is None
    assert reply.reason == "no reply within 0.6 s"


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    asked = Asked(f"http://127.0.0.1:{port}/v1")
    assert asked.reply.text is None
    assert "ConnectError" in asked.reply.reason
    assert len(asked.waits) == 4


def test_a_server_that_does_not_speak_tls() -> None:
    with serving(ok) as server:
        asked = Asked(server.url.replace("http:", "https:"))
    assert asked.reply.text is None
    assert "ConnectError" in asked.reply.reason


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirects_do_not_carry_the_key_elsewhere(code: int) -> None:
    with serving(ok) as thief, serving(status(code, Location=thief.url)) as server:
        asked = Asked(server.url, key=CANARY)
        assert thief.requests == []
        assert len(server.requests) == 1
    assert asked.reply.text is None
    assert "redirects are not followed" in asked.reply.reason


@pytest.mark.parametrize("trouble", [status(401), status(500), drop, body(CANARY.encode())])
def test_the_key_is_in_no_message(trouble: Behaviour) -> None:
    with serving(trouble) as server:
        asked = Asked(server.url, key=CANARY)
    assert asked.reply.text is None
    # `status` answers with a body that quotes a key, too.
    assert "canary" not in asked.reply.reason
    assert CANARY not in repr(Server("http://a", "b", key=CANARY))
    assert CANARY not in str(asked.model.identity)


def test_proxies_of_the_environment_do_not_stand_before_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert ask([ok])[0] == Reply(VERDICT)


def test_requests_run_at_the_same_time_up_to_the_limit() -> None:
    with serving(slowly(0.1)) as server:
        model = ServedModel(Server(server.url, "some judge", concurrency=4))
        replies = model.answer([PROMPT] * 12)
        assert server.busiest == 4
    assert replies == [Reply(VERDICT)] * 12


def test_replies_come_in_the_order_of_the_prompts() -> None:
    def echo(handler: Any) -> None:
        text = handler.asked["messages"][0]["content"]
        time.sleep(0.2 / (1 + int(text)))
        says(text)(handler)

    with serving(echo) as server:
        model = ServedModel(Server(server.url, "some judge", concurrency=8))
        replies = model.answer([ChatPrompt(str(index)) for index in range(8)])
    assert [reply.text for reply in replies] == [str(index) for index in range(8)]


def test_turns_are_handed_in_while_others_are_answered_and_the_rest_is_given_up() -> None:
    def behave(handler: Any) -> None:
        text = handler.asked["messages"][0]["content"]
        hang(handler) if text == "hang" else says(text, "length")(handler)

    with serving(behave) as server:
        model = ServedModel(Server(server.url, "some judge", concurrency=2))
        begin = time.perf_counter()
        with model.session() as submit:
            lost = [submit(ChatTurn(("hang",)))]
            for text in ("first", "second"):
                assert submit(ChatTurn((text,))).result() == Reply(text, truncated=True)
            lost += [submit(ChatTurn(("hang",))) for _ in range(3)]
        assert [future.cancelled() for future in lost] == [True] * 4
        assert time.perf_counter() - begin < 5


def test_it_works_inside_an_event_loop() -> None:
    async def notebook(url: str) -> list[Reply]:
        return ServedModel(Server(url, "some judge")).answer([PROMPT])

    with serving(ok) as server:
        assert asyncio.run(notebook(server.url)) == [Reply(VERDICT)]


def test_a_failing_server_scores_nothing_zero() -> None:
    requests = [JudgeRequest(SAMPLE, text) for text in completions(3)]
    with serving(ok, status(402), ok) as server:
        model = ServedModel(Server(server.url, "some judge", concurrency=1))
        verdicts = RubricJudge(model).grade(requests)
        text = json.dumps(server.requests[0][2])
    assert sorted(str(verdict.reward) for verdict in verdicts) == [str(MEAN), str(MEAN), "None"]
    assert "a dog barks twice" in text


def test_a_model_that_moves_to_another_address_stays_the_same() -> None:
    here = Server("http://a/v1", "m", max_new_tokens=8)
    assert ServedModel(here).identity == ServedModel(replace(here, url="http://b/v1")).identity
    for other in (replace(here, model="n"), replace(here, max_new_tokens=9)):
        assert ServedModel(here).identity != ServedModel(other).identity
