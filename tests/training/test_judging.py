from __future__ import annotations

from pathlib import Path

import pytest

from avatar_core.config.resolve import resolve_train
from avatar_core.config.train import TrainConfig
from avatar_core.errors import UsageError
from avatar_core.training.judging import (
    check_judge,
    judge_of,
    needs_judge,
    take_counts,
)
from avatar_core.training.parallel import ALONE
from avatar_core.training.telemetry import Counters


def config(*assignments: str, stage: int = 3) -> TrainConfig:
    return resolve_train(stage=stage, assignments=assignments)


def test_a_judge_is_needed_where_its_reward_is_recorded(tmp_path: Path) -> None:
    assert needs_judge(config())
    assert needs_judge(config("reward.weights={ accuracy = 1.0, judge = 0.0 }"))
    assert not needs_judge(config(stage=2))
    assert not needs_judge(config("reward.weights={ judge = 1.0 }", stage=0))
    assert judge_of(config(stage=2), tmp_path) is None
    assert judge_of(config(), tmp_path) is not None


def test_the_scripted_judge_grades_scenes_only() -> None:
    check_judge(config())
    check_judge(config("data=mine.jsonl", stage=2))
    with pytest.raises(UsageError, match=r"--data mine.jsonl: .*scenes only.*judge.kind=served"):
        check_judge(config("data=mine.jsonl"))
    check_judge(config("data=mine.jsonl", "judge.kind=local"))


def test_the_key_of_a_server_is_asked_for_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    served = ("judge.kind=served", "judge.url=http://127.0.0.1:9/v1", "judge.api_key_env=MY_KEY")
    monkeypatch.delenv("MY_KEY", raising=False)
    with pytest.raises(UsageError, match="MY_KEY.* is not set"):
        check_judge(config(*served))
    monkeypatch.setenv("MY_KEY", "k")
    check_judge(config(*served))


def test_counts_go_on_from_those_of_the_run(tmp_path: Path) -> None:
    judge = judge_of(config(), tmp_path)
    assert judge is not None
    counters = Counters(judge_graded=5, judge_unparsed=2, judge_unreachable=1)
    judge.counts.graded += 3
    take_counts(judge, counters, ALONE)
    take_counts(judge, counters, ALONE)
    assert counters == Counters(judge_graded=8, judge_unparsed=2, judge_unreachable=1)
