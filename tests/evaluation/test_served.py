from __future__ import annotations

import base64
import io
import json
import os
import signal
import socket
import threading
import time
import wave
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from avatar_core.benchmarks import find
from avatar_core.config.evaluate import EvalConfig, ServedConfig
from avatar_core.config.media import MediaConfig
from avatar_core.errors import MediaError, ServiceError, Stopped, TooManyFailures, UsageError
from avatar_core.evaluation import answering
from avatar_core.evaluation.directory import result_directory
from avatar_core.evaluation.jobs import Job
from avatar_core.evaluation.run import Evaluation, evaluate, measure_job
from avatar_core.evaluation.scenes import SCENES
from avatar_core.evaluation.served import (
    AHEAD,
    MAX_FAILURES,
    MAX_NEW_TOKENS,
    ServedAnswerer,
    served_settings,
)
from avatar_core.evaluation.tasks import Task, sample_tasks
from avatar_core.evaluation_records import EvalRow
from avatar_core.files import read_json, read_jsonl
from avatar_core.media import MediaLoader
from avatar_core.models.loading import load_policy
from avatar_core.models.policy import Prompt, Sampling
from avatar_core.run_settings import run_settings
from avatar_core.types import AudioMode, Clip, Content, MediaRef, Sample
from tests.benchmarks.kit.media import image, sound, video
from tests.rewards.judging.chat_server import (
    Behaviour,
    ChatServer,
    Handler,
    body,
    completion,
    drop,
    hang,
    says,
    send,
    serving,
    slowly,
    status,
)

CANARY = "canary-key-7f3a"
KEY_ENV = "AVATAR_TEST_KEY"
RIGHT = "<answer>red</answer>"


def questions(count: int) -> list[Task]:
    """Multiple-choice tasks without media; red is right."""
    return sample_tasks(
        [
            Sample(f"q{n}", f"Colour {n}?", (), "A", "multiple choice", ("red", "blue"))
            for n in range(count)
        ]
    )


def with_content(content: Content, name: str = "q", missing: tuple[str, ...] = ()) -> Task:
    return questions(1)[0]._replace(id=name, content=content, missing=missing)


def config(url: str, out: Path | None = None, **changes: Any) -> EvalConfig:
    """A resolved configuration; `timeout_seconds`, `concurrency` and the key go to the server."""
    of_server = {name: changes.pop(name) for name in ServedConfig.model_fields if name in changes}
    values: dict[str, Any] = {
        "names": ("scenes",),
        "backend": "openai",
        "served": ServedConfig(**{"url": url, "model": "org/some-model", **of_server}),
        "audio": "auto",
        "system_prompt": "",
        "max_new_tokens": 7,
        "media": MediaConfig(max_frames=4),
        "out": out,
    }
    return EvalConfig(**{**values, **changes})


def answer(asked: EvalConfig, tasks: Sequence[Task]) -> list[EvalRow]:
    """Rows of tasks in the order in which they are finished."""
    with MediaLoader(asked.media or MediaConfig()) as loader:
        backend = ServedAnswerer(asked.served).backend(asked, loader)
        return [row for rows in backend.answer(tasks, {task.id for task in tasks}) for row in rows]


def unanswered(asked: EvalConfig, tasks: Sequence[Task]) -> list[EvalRow]:
    """Rows of tasks none of which the server answers."""
    rows: list[EvalRow] = []
    with MediaLoader(asked.media or MediaConfig()) as loader:
        backend = ServedAnswerer(asked.served).backend(asked, loader)
        with pytest.raises(ServiceError, match=f"left {len(tasks)} items in a row unanswered"):
            for batch in backend.answer(tasks, {task.id for task in tasks}):
                rows += batch
    return rows


def score(asked: EvalConfig, tasks: Sequence[Task]) -> Evaluation:
    """A whole evaluation of these tasks."""
    assert asked.out is not None
    job = Job(SCENES, asked.out, asked, tasks)
    return measure_job(job, ServedAnswerer(asked.served), lambda *_: None)


def by_question(text_of: Callable[[int], Behaviour]) -> Behaviour:
    """Behave as the number in the question says."""

    def behave(handler: Handler) -> None:
        question = handler.asked["messages"][-1]["content"]
        text_of(int(question.partition("Colour ")[2].partition("?")[0]))(handler)

    return behave


def picture_of(part: dict[str, Any]) -> np.ndarray:
    data = part["image_url"]["url"].partition("base64,")[2]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))


def samples_of(part: dict[str, Any]) -> np.ndarray:
    """Samples of an audio part, which must be 16-bit mono at 16 kHz."""
    assert part["input_audio"]["format"] == "wav"
    with wave.open(io.BytesIO(base64.b64decode(part["input_audio"]["data"]))) as file:
        shape = (file.getframerate(), file.getnchannels(), file.getsampwidth())
        assert shape == (16_000, 1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / np.float32(32767)


@pytest.fixture
def interleaved(tmp_path: Path) -> Task:
    """Text, a video with sound, an image, a sound alone and a silent video, mixed with texts."""
    return with_content(
        (
            "Watch this.",
            MediaRef("video", str(video(tmp_path / "loud.mp4"))),
            "And this:",
            MediaRef("image", str(image(tmp_path / "still.png"))),
            MediaRef("audio", str(sound(tmp_path / "heard.wav"))),
            MediaRef("video", str(video(tmp_path / "mute.mp4", sound=False))),
            "Which colour?",
        )
    )


def sent_parts(server: ChatServer) -> list[dict[str, Any]]:
    ((_, _, request),) = server.requests
    parts: list[dict[str, Any]] = request["messages"][-1]["content"]
    return parts


def test_a_turn_shows_text_frames_and_sound_in_order(interleaved: Task) -> None:
    with serving(says(RIGHT)) as server:
        (row,) = answer(config(server.url), [interleaved])
        parts = sent_parts(server)
    shown = ["image_url"] * 4
    assert [part["type"] for part in parts] == [
        "text",
        *shown,
        "input_audio",
        "text",
        "image_url",
        "input_audio",
        *shown,
        "text",
    ]
    assert [part["text"] for part in parts if part["type"] == "text"] == [
        "Watch this.",
        "And this:",
        "Which colour?",
    ]
    assert (row.status, row.correct, row.frames) == ("ok", True, 9)
    assert row.modalities == ("text", "frames", "sound")


def test_pictures_and_sounds_are_those_of_the_loader(interleaved: Task) -> None:
    refs = [part for part in interleaved.content if not isinstance(part, str)]
    with MediaLoader(MediaConfig(max_frames=4)) as loader:
        clips = [loader.load(ref) for ref in refs]
    with serving(says(RIGHT)) as server:
        answer(config(server.url), [interleaved])
        parts = sent_parts(server)
    pictures = [picture_of(part) for part in parts if part["type"] == "image_url"]
    frames = [frame for clip in clips if clip.frames is not None for frame in clip.frames]
    assert [one.shape for one in pictures] == [one.shape for one in frames]
    # JPEG of quality 90 keeps the levels within a few of 255.
    apart = [np.abs(a.astype(float) - b).mean() for a, b in zip(pictures, frames, strict=True)]
    assert max(apart) < 3
    sounds = [samples_of(part) for part in parts if part["type"] == "input_audio"]
    heard = [clip.sound for clip in clips if clip.sound is not None]
    assert len(sounds) == len(heard) == 2
    for decoded, samples in zip(sounds, heard, strict=True):
        # A second of 16,000 samples, each within half a step of 16 bits.
        assert len(decoded) == len(samples) == 16_000
        assert np.abs(decoded - samples).max() < 1 / 32767


def test_blanked_modalities_are_dark_and_silent(interleaved: Task) -> None:
    for blank in ("frames", "sound"):
        with serving(says(RIGHT)) as server:
            answer(config(server.url, blank=(blank,)), [interleaved])
            parts = sent_parts(server)
        light = [picture_of(part).max() for part in parts if part["type"] == "image_url"]
        loud = [np.abs(samples_of(part)).max() for part in parts if part["type"] == "input_audio"]
        assert (len(light), len(loud)) == (9, 2)
        assert (max(light) < 8) == (blank == "frames")
        assert (max(loud) == 0) == (blank == "sound")


def test_sound_is_left_out_where_it_is_turned_off(interleaved: Task) -> None:
    with serving(says(RIGHT)) as server:
        (row,) = answer(config(server.url, audio="off"), [with_content(interleaved.content[:3])])
        kinds = [part["type"] for part in sent_parts(server)]
    assert kinds == ["text", *["image_url"] * 4, "text"]
    assert row.modalities == ("text", "frames")


def test_the_request_is_greedy_with_system_text_limit_and_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(KEY_ENV, CANARY)
    with serving(says(RIGHT)) as server:
        answer(config(server.url, api_key_env=KEY_ENV, system_prompt="Be brief."), questions(1))
        ((path, headers, request),) = server.requests
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == f"Bearer {CANARY}"
    assert (request["model"], request["temperature"], request["max_tokens"]) == (
        "org/some-model",
        0.0,
        7,
    )
    system, user = request["messages"]
    assert system == {"role": "system", "content": "Be brief."}
    assert user["content"].startswith("Colour 0?")


REPLIES: list[tuple[Behaviour, str, bool, str]] = [
    (says(RIGHT), "ok", True, RIGHT),
    (says("<answer>blue</answer>"), "ok", False, "<answer>blue</answer>"),
    (says("It is hard to say."), "unparsed", False, "It is hard to say."),
    (says(""), "unparsed", False, ""),
    (says("<think>Well", "length"), "truncated", False, "<think>Well"),
    (says(RIGHT, "length"), "truncated", True, RIGHT),
    (says(None, "length"), "truncated", False, ""),
    (
        body(b'{"choices": [{"message": {"content": null, "refusal": "I cannot help."}}]}'),
        "unparsed",
        False,
        "I cannot help.",
    ),
]


def test_what_the_model_writes_is_scored() -> None:
    for behaviour, expected, correct, text in REPLIES:
        with serving(behaviour) as server:
            (row,) = answer(config(server.url), questions(1))
        assert (row.status, row.correct, row.text) == (expected, correct, text)
        assert row.truncated == (expected == "truncated")
        assert row.seconds is not None and row.seconds >= 0
        assert row.error is None
    assert len(REPLIES) == 8


FAILURES: list[tuple[Behaviour, str, int]] = [
    (status(400), "HTTP 400 Bad Request", 1),
    (status(401), "HTTP 401 Unauthorized", 1),
    (status(413), "HTTP 413", 1),
    (status(429, Retry_After="0"), "HTTP 429 Too Many Requests, 5 times", 5),
    (status(500, Retry_After="0"), "HTTP 500 Internal Server Error, 5 times", 5),
    (status(307, Location="http://127.0.0.1:9/"), "redirects are not followed", 1),
    (body(b"<html>all is well</html>"), "no chat completion", 1),
    (says(None), "without text", 1),
    (says(None, "content_filter"), "without text", 1),
]


def is_no_answer(row: EvalRow) -> bool:
    """Nothing in the row could be taken for an answer, nor is it credited with anything."""
    return (row.status, row.prediction, row.text, row.correct, row.score, row.truncated) == (
        "error",
        None,
        None,
        False,
        0.0,
        False,
    )


def test_a_request_that_fails_for_good_is_an_error_and_no_answer() -> None:
    for behaviour, reason, requests in FAILURES:
        with serving(behaviour) as server:
            (row,) = unanswered(config(server.url), questions(1))
            assert len(server.requests) == requests
        assert is_no_answer(row)
        assert reason in str(row.error)
    assert len(FAILURES) == 9


def test_a_trouble_that_passes_leaves_no_trace() -> None:
    troubles = (status(503, Retry_After="0"), status(429, Retry_After="0"))
    with serving(*troubles, says(RIGHT)) as server:
        (row,) = answer(config(server.url), questions(1))
        assert len(server.requests) == 3
    assert (row.status, row.error) == ("ok", None)


@pytest.mark.parametrize("trouble", [hang, drop])
def test_a_server_that_hangs_or_hangs_up_is_given_up_in_time(
    monkeypatch: pytest.MonkeyPatch, trouble: Behaviour
) -> None:
    monkeypatch.setattr("avatar_core.evaluation.served.WAITS_SECONDS", 0.3)
    begin = time.perf_counter()
    with serving(trouble) as server:
        (row,) = unanswered(config(server.url, timeout_seconds=0.2), questions(1))
    assert is_no_answer(row)
    # 2 · 0.2 + 0.3; one that hangs up is asked again after 0.25 s at least and then 0.5 s.
    assert row.error == "the server gave no answer: no reply within 0.7 s"
    assert time.perf_counter() - begin < 5


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    asked = config(f"http://127.0.0.1:{port}/v1")
    begin = time.perf_counter()
    with pytest.raises(ServiceError, match=f"127.0.0.1:{port}/v1: no connection .*; start the"):
        answer(asked, questions(1))
    # At once, not after the tries and waits of a request.
    assert time.perf_counter() - begin < 2


def test_media_that_cannot_be_read_are_not_sent(tmp_path: Path) -> None:
    (tmp_path / "noise.mp4").write_bytes(b"noise")
    gone = str(tmp_path / "gone.mp4")
    tasks = [
        with_content(("Colour 0?",), "fine"),
        with_content((MediaRef("video", str(tmp_path / "noise.mp4")), "Colour 1?"), "noise"),
        with_content((MediaRef("video", gone), "Colour 2?"), "gone"),
        with_content(("Colour 3?",), "missing", (gone,)),
        with_content(("Colour 4?",), "last"),
    ]
    with serving(says(RIGHT)) as server:
        rows = {row.id: row for row in answer(config(server.url), tasks)}
        assert len(server.requests) == 2
    assert {name: row.status for name, row in rows.items()} == {
        "fine": "ok",
        "noise": "error",
        "gone": "missing_media",
        "missing": "missing_media",
        "last": "ok",
    }
    assert "noise.mp4" in str(rows["noise"].error)


class Loader(MediaLoader):
    """Remembers what is asked of it, and shows one grey clip for every file."""

    def __init__(self, sound: np.ndarray | None) -> None:
        super().__init__(MediaConfig())
        self.asked: list[tuple[str, str]] = []
        self._sound = sound

    def prefetch(self, refs: Sequence[MediaRef], *, audio: AudioMode | None = None) -> None:
        self.asked += [("prefetch", ref.path) for ref in refs]

    def load_many(
        self, refs: Sequence[MediaRef], *, audio: AudioMode | None = None
    ) -> list[Clip | MediaError]:
        self.asked += [("load", ref.path) for ref in refs]
        grey = np.full((2, 28, 28, 3), 99, np.uint8)
        return [Clip(ref, grey, (), 2.0, self._sound, 16_000, "av", "0") for ref in refs]


def answer_with(loader: Loader, asked: EvalConfig, count: int) -> list[EvalRow]:
    tasks = [with_content((MediaRef("video", f"{n}"), "Why?"), f"q{n}") for n in range(count)]
    with loader:
        backend = ServedAnswerer(asked.served).backend(asked, loader)
        return [row for rows in backend.answer(tasks, {task.id for task in tasks}) for row in rows]


def test_media_are_decoded_ahead_each_once() -> None:
    loader = Loader(None)
    with serving(says(RIGHT)) as server:
        answer_with(loader, config(server.url, concurrency=2), AHEAD + 4)
    # Number n is begun when number n - AHEAD is waited for.
    expected = [("prefetch", str(n)) for n in range(AHEAD)]
    for n in range(AHEAD + 4):
        following = [("prefetch", str(n + AHEAD))] if n < 4 else []
        expected += [*following, ("load", str(n))]
    assert loader.asked == expected
    assert len(expected) == 2 * (AHEAD + 4)


def test_a_sound_without_samples_is_no_sound() -> None:
    for samples, kinds in ((0, ()), (1, ("sound",))):
        with serving(says(RIGHT)) as server:
            loader = Loader(np.zeros(samples, np.float32))
            (row,) = answer_with(loader, config(server.url), 1)
            sent = [part["type"] for part in sent_parts(server)]
        assert row.modalities == ("text", "frames", *kinds)
        assert sent.count("input_audio") == samples


def test_requests_run_at_the_same_time_up_to_the_limit() -> None:
    with serving(slowly(0.1)) as server:
        rows = answer(config(server.url, concurrency=3), questions(9))
        assert server.busiest == 3
        assert len(answer(config(server.url, concurrency=3, batch_size=5), questions(10))) == 10
        assert server.busiest == 5
    assert {row.id for row in rows} == {f"q{n}" for n in range(9)}


def test_only_tasks_that_are_owed_are_asked() -> None:
    tasks = questions(6)
    with serving(says(RIGHT)) as server, MediaLoader(MediaConfig()) as loader:
        asked = config(server.url)
        backend = ServedAnswerer(asked.served).backend(asked, loader)
        rows = [row.id for rows in backend.answer(tasks, {"q1", "q4"}) for row in rows]
        assert len(server.requests) == 2
    assert sorted(rows) == ["q1", "q4"]


def test_a_server_that_is_down_stops_the_evaluation_and_it_goes_on_later(tmp_path: Path) -> None:
    out = tmp_path / "out"
    tasks = questions(40)
    # The first 5 are answered, then nothing is.
    failing = by_question(lambda n: says(RIGHT) if n < 5 else status(402))
    with serving(failing) as server:
        asked = config(server.url, out, concurrency=1)
        with pytest.raises(ServiceError, match=f"{MAX_FAILURES} items in a row.*HTTP 402") as stop:
            score(asked, tasks)
        assert len(server.requests) == 5 + MAX_FAILURES
    assert stop.value.exit_code == 9
    rows = [row for _, row in read_jsonl(out / "results.jsonl")]
    assert [row["status"] for row in rows] == ["ok"] * 5 + ["error"] * MAX_FAILURES
    assert not (out / "summary.json").exists()

    with serving(says(RIGHT)) as server:
        # Another address and another number of requests are the same evaluation.
        summary = score(config(server.url, out, concurrency=4), tasks).summary
        assert len(server.requests) == 35
    assert (summary.n, summary.correct, summary.status["ok"]) == (40, 40, 40)
    assert summary.model == summary.manifest.model == "org/some-model"
    assert summary.manifest.model_fingerprint is None
    assert [row["id"] for _, row in read_jsonl(out / "results.jsonl")] == [t.id for t in tasks]


def test_many_requests_that_fail_together_stop_it_too(tmp_path: Path) -> None:
    with serving(status(401)) as server:
        asked = config(server.url, tmp_path / "out", concurrency=64)
        with pytest.raises(ServiceError, match=f"{MAX_FAILURES} items in a row.*HTTP 401"):
            score(asked, questions(64))
    assert len(list(read_jsonl(tmp_path / "out" / "results.jsonl"))) == MAX_FAILURES


def test_an_answer_now_and_then_keeps_the_evaluation_going(tmp_path: Path) -> None:
    # 19 failures, an answer, 19 failures, an answer.
    behaviour = by_question(lambda n: says(RIGHT) if n % 20 == 19 else status(400))
    out = tmp_path / "out"
    with serving(behaviour) as server:
        summary = score(config(server.url, out, concurrency=1), questions(40)).summary
    assert (summary.status["error"], summary.status["ok"], summary.correct) == (38, 2, 2)
    assert (summary.accuracy, summary.accuracy_answered) == (0.05, 1.0)
    with serving(says(RIGHT)) as server:
        again = score(config(server.url, out), questions(40)).summary
        assert len(server.requests) == 38
    assert (again.status["ok"], again.accuracy) == (40, 1.0)


def test_a_signal_is_heard_while_the_server_says_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out"
    asked_for_third = threading.Event()

    def behave(handler: Handler) -> None:
        asked = len(handler.server.requests)
        if asked <= 2:
            (status(400) if asked == 1 else says(RIGHT))(handler)
        else:
            asked_for_third.set()
            hang(handler)

    def tell(_phrase: str, done: int, _total: int) -> None:
        if done == 2 and asked_for_third.is_set():
            os.kill(os.getpid(), signal.SIGINT)

    with serving(behave) as server:
        asked = config(server.url, out, concurrency=1)
        job = Job(SCENES, out, asked, questions(3))
        begin = time.perf_counter()
        with pytest.raises(Stopped, match="stopped after 1 of 3 items") as stop:
            measure_job(job, ServedAnswerer(asked.served), tell)
        assert time.perf_counter() - begin < 10
    assert stop.value.exit_code == 130
    # The refused one has a row, but is no item that need not be asked again.
    rows = [(row["id"], row["status"]) for _, row in read_jsonl(out / "results.jsonl")]
    assert rows == [("q0", "error"), ("q1", "ok")]


def test_settings_are_neutral_and_the_directory_names_the_served_model() -> None:
    asked = config("http://127.0.0.1:9/v1")
    settings = served_settings(asked.served)
    assert (settings.media, settings.system_prompt) == (MediaConfig(), "")
    assert settings.max_new_tokens == MAX_NEW_TOKENS
    expected = Path("runs") / "eval" / "org--some-model" / "scenes"
    assert result_directory(asked, find("scenes")) == expected


def test_without_its_key_nothing_is_asked_or_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(KEY_ENV, raising=False)
    with serving(says(RIGHT)) as server:
        asked = config(server.url, tmp_path / "out", api_key_env=KEY_ENV)
        with pytest.raises(UsageError, match=f"--api-key-env='{KEY_ENV}'.*not set"):
            evaluate(asked)
        assert server.requests == []
    assert list(tmp_path.iterdir()) == []


def test_the_key_is_in_no_file_and_no_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_ENV, CANARY)
    told: list[str] = []
    out = tmp_path / "out"
    # Refusals quote a key in their body.
    with serving(says(RIGHT), status(401)) as server:
        asked = config(server.url, out, api_key_env=KEY_ENV, concurrency=1)
        job = Job(SCENES, out, asked, questions(30))
        with pytest.raises(ServiceError) as stop:
            measure_job(job, ServedAnswerer(asked.served), lambda text, *_: told.append(text))
        assert all(headers["Authorization"] for _, headers, _ in server.requests)
    files = [path for path in out.rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"results.jsonl", "config.json", "manifest.json"}
    assert not [path for path in files if b"canary" in path.read_bytes()]
    assert "canary" not in str(stop.value) + "".join(told)


class ModelServer:
    """The tiny model, asked with nothing but what comes in a request."""

    def __init__(self, run: Path) -> None:
        self.policy = load_policy(run_settings(str(run)).checkpoint)
        self.written: dict[str, str] = {}
        self._lock = threading.Lock()

    def __call__(self, handler: Handler) -> None:
        content = handler.asked["messages"][-1]["content"]
        sampling = Sampling(handler.asked["max_tokens"], handler.asked["temperature"])
        with self._lock:
            prepared = self.policy.prepare(Prompt(None, tuple(as_shown(content))))
            (replied,) = answering.reply(self.policy, [prepared], sampling)
            self.written[content[-1]["text"]] = replied.text
        finish = "length" if replied.truncated else "stop"
        send(handler, 200, completion(replied.text, finish))


def as_shown(content: Sequence[dict[str, Any]]) -> Iterator[Clip | str]:
    """Frames and the sound behind them as one video again."""
    frames: list[np.ndarray] = []
    for part in content:
        if part["type"] == "image_url":
            frames.append(picture_of(part))
        elif part["type"] == "input_audio":
            ref = MediaRef("video", "sent")
            yield Clip(ref, np.stack(frames), (), 2.0, samples_of(part), 16_000, "av", "0")
            frames = []
        else:
            yield part["text"]
    assert frames == []


def test_a_real_model_behind_a_real_server(
    run: Path, clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four scenes from the call to the files; here no model is loaded, there it sees and hears."""
    model = ModelServer(run)
    monkeypatch.setattr("avatar_core.evaluation.backend.load_policy", None)
    monkeypatch.setattr("avatar_core.evaluation.run.run_settings", None)
    out = tmp_path / "out"
    with serving(model) as server:
        asked = EvalConfig(
            names=("scenes",),
            backend="openai",
            served=ServedConfig(url=server.url, model="tiny"),
            data_root=clips,
            limit=4,
            max_new_tokens=6,
            media=MediaConfig(max_frames=4),
            out=out,
        )
        (evaluation,) = evaluate(asked).evaluations
        sent = [json.dumps(request) for _, _, request in server.requests]
        assert evaluate(asked).evaluations == (evaluation,)
        assert len(server.requests) == 4
    assert len(model.written) == len(sent) == 4
    assert sorted(row.text or "" for row in evaluation.rows) == sorted(model.written.values())
    assert len(set(model.written.values())) > 1
    assert {row.frames for row in evaluation.rows} == {4}
    assert {row.modalities for row in evaluation.rows} == {("text", "frames", "sound")}
    stored = read_json(out / "config.json")
    assert (stored["backend"], stored["batch_size"], stored["system_prompt"]) == ("openai", 8, "")
    assert read_json(out / "summary.json")["model"] == "tiny"
    assert read_json(out / "manifest.json")["device"] == "served"


def test_a_few_failures_are_too_many_for_a_score(clips: Path, tmp_path: Path) -> None:
    with serving(status(400), says(RIGHT)) as server:
        asked = EvalConfig(
            names=("scenes",),
            backend="openai",
            served=ServedConfig(url=server.url, model="tiny"),
            data_root=clips,
            limit=4,
            media=MediaConfig(max_frames=4),
            out=tmp_path / "out",
        )
        with pytest.raises(TooManyFailures, match="1 error, 0 missing_media of 4 items"):
            evaluate(asked)
