from __future__ import annotations

import pytest

from avatar_core.evaluation_records import EvalTiming
from avatar_core.reporting.timing import (
    PhaseTime,
    Throughput,
    evaluation_throughput,
    evaluation_times,
    phase_times,
    throughput,
)
from tests.run_records import metrics_row


def test_phase_times_are_summed_and_shared() -> None:
    times = phase_times([metrics_row(1), metrics_row(2, seconds_media=3.0)])
    # media 1 + 3, generate 2 + 2, reward 0, train 1 + 1: 10 seconds; encode was never timed.
    assert list(times) == ["media", "generate", "reward", "train"]
    assert {name: time.seconds for name, time in times.items()} == {
        "media": 4.0,
        "generate": 4.0,
        "reward": 0.0,
        "train": 2.0,
    }
    assert times["media"].share == 0.4
    # Rows of an earlier release know no parts.
    assert {name: time.parts for name, time in times.items()} == dict.fromkeys(times, {})
    assert phase_times([]) == {}


def test_parts_stand_under_their_phase_with_their_share_of_all() -> None:
    parts = {"seconds_prefill": 0.5, "seconds_decode": 1.25}
    rows = [
        metrics_row(1, **parts, seconds_backward=0.5),
        metrics_row(2, **parts, seconds_train_encode=0.25),
        metrics_row(3),
    ]
    times = phase_times(rows)
    # Three steps of 1 + 2 + 0 + 1 = 12 seconds.
    assert times["generate"] == PhaseTime(
        6.0, 0.5, {"prefill": PhaseTime(1.0, 1 / 12), "decode": PhaseTime(2.5, 2.5 / 12)}
    )
    assert times["train"].parts == {
        "encode": PhaseTime(0.25, 0.25 / 12),
        "backward": PhaseTime(0.5, 0.5 / 12),
    }
    assert times["media"].parts == {}


def test_tokens_of_a_run_and_their_rates() -> None:
    rows = [
        metrics_row(1, tokens_prompt=30, tokens_trained=60),
        metrics_row(2, tokens_prompt=50, tokens_trained=None),
        metrics_row(3, tokens_prompt=40, tokens_trained=90),
    ]
    found = throughput(rows)
    # 300 tokens in 3 x 2 seconds of generating; 60 + 90 trained in two steps of 1 second.
    assert found == Throughput(120, 300, 150, 50.0, 75.0)
    old = throughput([metrics_row(1), metrics_row(2)])
    assert old == Throughput(None, 200, None, 50.0, None)
    untimed = throughput([metrics_row(1, seconds_generate=None)])
    assert (untimed.generated, untimed.generated_per_second) == (100, None)
    assert throughput([]) == Throughput()


def test_an_evaluation_has_phases_and_rates_too() -> None:
    timing = EvalTiming(
        items=4,
        seconds=8.0,
        phases={"decode": 5.0, "later": 0.5, "media": 2.0},
        tokens_prompt=400,
        tokens_generated=40,
        items_per_second=0.5,
    )
    assert evaluation_times(timing) == {
        "media": PhaseTime(2.0, 0.25),
        "decode": PhaseTime(5.0, 0.625),
        "later": PhaseTime(0.5, 0.0625),
    }
    # A file holds them by name; they are shown in the order of the work.
    assert list(evaluation_times(timing)) == ["media", "decode", "later"]
    assert evaluation_throughput(timing) == Throughput(400, 40, None, 5.0, None, 0.5)
    idle = timing.model_copy(update={"seconds": 0.0, "items_per_second": None})
    assert {time.share for time in evaluation_times(idle).values()} == {None}
    assert evaluation_throughput(idle).generated_per_second is None


def test_a_rate_is_of_the_steps_that_have_it() -> None:
    rows = [metrics_row(1), metrics_row(2, tokens_trained=90, seconds_train=3.0)]
    assert throughput(rows).trained_per_second == pytest.approx(30.0)
