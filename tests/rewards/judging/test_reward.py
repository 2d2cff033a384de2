from __future__ import annotations

from collections.abc import Sequence

import pytest

from avatar_core.errors import UsageError
from avatar_core.rewards.judging.judge import JudgeRequest, Verdict, verdict_of
from avatar_core.rewards.judging.reward import judge_reward
from avatar_core.rewards.registry import REWARDS, RewardContext
from tests.models.prompts import make_clip
from tests.rewards.judging.cases import COMPLETION, SAMPLE, clip_of

EMPTY = "<think>I do not know.</think><answer></answer>"
CUT = "<think>Something barks on the"


class Remembering:
    def __init__(self, *verdicts: Verdict) -> None:
        self.verdicts = verdicts
        self.requests: list[JudgeRequest] = []

    def grade(self, requests: Sequence[JudgeRequest]) -> list[Verdict]:
        self.requests += requests
        return list(self.verdicts[: len(requests)])


def test_it_is_registered_by_name() -> None:
    assert REWARDS["judge"] is judge_reward


def test_rewards_are_the_verdicts_and_a_failure_is_none() -> None:
    judge = Remembering(verdict_of({"location_accuracy": 0.75}), Verdict(failure="unreachable"))
    texts = [COMPLETION, f"{COMPLETION} "]
    assert judge_reward(texts, SAMPLE, context=RewardContext(judge=judge)) == [0.75, None]


def test_no_answer_is_the_models_failure_and_nobody_is_asked() -> None:
    judge = Remembering(verdict_of({"location_accuracy": 1.0}))
    rewards = judge_reward([EMPTY, COMPLETION, CUT, ""], SAMPLE, context=RewardContext(judge=judge))
    assert rewards == [0.0, 1.0, 0.0, 0.0]
    assert [request.completion for request in judge.requests] == [COMPLETION]


def test_the_judge_sees_the_first_clip_with_frames() -> None:
    sound, first, second = make_clip("audio", seed=1, seconds=1.0), clip_of(2), clip_of(3)
    judge = Remembering(verdict_of({"location_accuracy": 1.0}))
    context = RewardContext(clips=[sound, first, second], judge=judge)
    judge_reward([COMPLETION], SAMPLE, context=context)
    assert judge.requests[0].clip is first
    assert judge.requests[0].sample is SAMPLE


def test_a_run_without_judge_is_told_so() -> None:
    with pytest.raises(UsageError, match=r"needs a judge; set judge\.kind"):
        judge_reward([COMPLETION], SAMPLE, context=RewardContext())
