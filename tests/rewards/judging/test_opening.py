from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from avatar_core.config.judge import JudgeConfig
from avatar_core.errors import ServiceError, UsageError
from avatar_core.rewards.judging import JudgeCounts, JudgeRequest, open_judge
from tests.rewards.judging.cases import SAMPLE, clip_of, completions, scene_sample
from tests.rewards.judging.chat_server import MEAN, ok, serving, status


def served(url: str, **changes: Any) -> JudgeConfig:
    return JudgeConfig(kind="served", url=url, model="some judge", **changes)


def requests(count: int) -> list[JudgeRequest]:
    clip = clip_of(16)
    return [JudgeRequest(SAMPLE, text, clip) for text in completions(count)]


def test_the_default_judges_scenes() -> None:
    sample = scene_sample(3, 0)
    judge = open_judge(JudgeConfig())
    assert judge.grade([JudgeRequest(sample, sample.responses[0])])[0].reward == 1.0
    assert judge.counts == JudgeCounts(graded=1)


def test_a_served_judge_grades_and_remembers_in_the_run_directory(tmp_path: Path) -> None:
    with serving(ok) as server:
        for _ in range(2):
            judge = open_judge(served(server.url, frames=3), tmp_path)
            assert [verdict.reward for verdict in judge.grade(requests(4))] == [MEAN] * 4
        assert len(server.requests) == 4
        content = server.requests[0][2]["messages"][0]["content"]
    assert [part["type"] for part in content] == ["image_url"] * 3 + ["text"]
    assert (tmp_path / "judge.sqlite").is_file()


def test_the_cache_may_be_named(tmp_path: Path) -> None:
    with serving(ok) as server:
        config = served(server.url, cache=str(tmp_path / "shared.sqlite"))
        open_judge(config, tmp_path / "run").grade(requests(1))
    assert [path.name for path in tmp_path.iterdir()] == ["shared.sqlite"]


def test_a_judge_that_is_down_stops_the_run_after_the_stated_number(tmp_path: Path) -> None:
    with serving(status(402)) as server:
        judge = open_judge(served(server.url, max_failures=6), tmp_path)
        assert [verdict.reward for verdict in judge.grade(requests(4))] == [None] * 4
        with pytest.raises(ServiceError, match="6 completions in a row.*HTTP 402") as stop:
            judge.grade(requests(4))
    assert stop.value.exit_code == 9
    assert judge.counts.graded == 0


def test_the_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    config = served("http://127.0.0.1:9/v1", api_key_env="AVATAR_TEST_KEY")
    monkeypatch.delenv("AVATAR_TEST_KEY", raising=False)
    with pytest.raises(UsageError, match=r"judge\.api_key_env='AVATAR_TEST_KEY'.*not set"):
        open_judge(config)
    monkeypatch.setenv("AVATAR_TEST_KEY", "canary-1234")
    with serving(ok) as server:
        open_judge(served(server.url, api_key_env="AVATAR_TEST_KEY")).grade(requests(1))
        assert server.requests[0][1]["Authorization"] == "Bearer canary-1234"
    assert "canary" not in config.model_dump_json()


def test_the_key_reaches_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AVATAR_TEST_KEY", "canary-1234")
    with serving(status(401), ok) as server:
        config = served(server.url, api_key_env="AVATAR_TEST_KEY")
        open_judge(config, tmp_path).grade(requests(3))
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 1
    assert all(b"canary" not in path.read_bytes() for path in files)
