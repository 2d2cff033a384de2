from __future__ import annotations

from collections.abc import Sequence

import pytest

from avatar_core.errors import ServiceError
from avatar_core.rewards.judging.judge import (
    CountingJudge,
    JudgeCounts,
    JudgeRequest,
    Verdict,
    verdict_of,
)
from tests.rewards.judging.cases import COMPLETION, SAMPLE

GOOD = verdict_of({"location_accuracy": 1.0})
DOWN = Verdict(failure="unreachable", reason="connection refused")
GARBLED = Verdict(failure="unparsed", reason="a reply without scores")
ZERO = Verdict(reward=0.0, failure="unparsed")
REQUEST = JudgeRequest(SAMPLE, COMPLETION)


class Given:
    def __init__(self, verdicts: Sequence[Verdict]) -> None:
        self.verdicts = list(verdicts)

    def grade(self, requests: Sequence[JudgeRequest]) -> list[Verdict]:
        return [self.verdicts.pop(0) for _ in requests]


def test_the_reward_is_the_mean_of_the_scores_present() -> None:
    # (1 + 0.5 + 0) / 3: the fourth score is absent and leaves the denominator.
    verdict = verdict_of(
        {"audio_cue_grounding": 1.0, "location_accuracy": 0.5, "caption_correctness": 0.0}
    )
    assert verdict.reward == 0.5
    assert verdict.failure is None


def test_failures_are_counted_by_kind() -> None:
    judge = CountingJudge(Given([GOOD, DOWN, GARBLED, ZERO, GOOD]), max_failures=3)
    judge.grade([REQUEST] * 2)
    judge.grade([REQUEST] * 3)
    assert judge.counts == JudgeCounts(graded=2, unparsed=2, unreachable=1)


def test_too_many_in_a_row_stop_the_run_with_exit_code_9() -> None:
    judge = CountingJudge(Given([DOWN] * 2 + [GOOD] + [DOWN, GARBLED, DOWN]), max_failures=3)
    for _ in range(5):
        judge.grade([REQUEST])
    with pytest.raises(ServiceError, match="3 completions in a row.*connection refused") as stop:
        judge.grade([REQUEST])
    assert stop.value.exit_code == 9


def test_a_reply_counted_as_zero_is_no_outage() -> None:
    judge = CountingJudge(Given([ZERO] * 50), max_failures=3)
    assert {verdict.reward for verdict in judge.grade([REQUEST] * 50)} == {0.0}
    assert judge.counts.unparsed == 50
