from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from avatar_core.algo import plain
from avatar_core.config.resolve import resolve_train
from avatar_core.config.train import AdvantageConfig
from avatar_core.errors import UsageError
from avatar_core.records import GroupRow
from avatar_core.replay import ReplayBuffer
from avatar_core.reporting.what_if import (
    check_recomputable,
    recomputed,
    running_means,
    what_if,
)
from avatar_core.types import Completion, Group
from tests.run_records import group_row

CONFIG = AdvantageConfig()
UNSCALED = AdvantageConfig(scale="none", vcrs_scale="none", alpha=0.5)


def fresh(step: int, rewards: list[float | None], **changes: Any) -> GroupRow:
    trained: list[float | None] = [0.0] * len(rewards)
    return group_row(rewards, trained, step=step, policy_step=step, **changes)


def replayed(step: int, rewards: list[float | None], **changes: Any) -> GroupRow:
    return fresh(step, rewards, source="replayed", **changes)


def advantages(rows: Sequence[GroupRow]) -> list[list[float | None]]:
    return [[item.advantage for item in row.completions] for row in rows]


def test_as_trained_fresh_rows_meet_their_group_and_replayed_rows_the_mean_on_record() -> None:
    rows = [fresh(1, [1.0, 0.0, None]), replayed(1, [1.0], baseline=0.25)]
    found = recomputed(rows, UNSCALED, plain, baseline=None, window=20)
    # 1 and 0 about their mean 1/2; half of 1 - 1/4.
    assert advantages(found) == [[0.5, -0.5, 0.0], [0.375]]


def test_replayed_rows_can_meet_their_drawn_members() -> None:
    rows = [replayed(1, [1.0, 0.5], baseline=0.0), replayed(1, [1.0], baseline=0.0)]
    found = recomputed(rows, UNSCALED, plain, baseline="group", window=20)
    # About 3/4, times α; a single member has nothing to be compared with.
    assert advantages(found) == [[0.125, -0.125], [0.0]]


def test_fresh_rows_can_meet_the_mean_of_earlier_steps() -> None:
    rows = [
        fresh(1, [1.0, 0.0]),
        fresh(1, [1.0, 1.0], prompt_id="q"),
        fresh(2, [1.0, 0.5]),
        fresh(2, [0.0, None], prompt_id="new"),
    ]
    found = recomputed(rows, UNSCALED, plain, baseline="vcrs", window=20)
    # R̄ of p is 1/2 in step 2; nothing is known of a prompt at its first visit. α is not for fresh.
    assert advantages(found) == [[1.0, 0.0], [1.0, 1.0], [0.5, 0.0], [0.0, 0.0]]


def test_the_deviation_is_that_of_all_completions_of_the_step() -> None:
    rows = [replayed(1, [1.0], baseline=0.5), replayed(1, [0.0], baseline=0.5)]
    rows += [replayed(2, [1.0], baseline=0.5)]
    found = advantages(recomputed(rows, CONFIG, plain, baseline=None, window=20))
    # 1 and 0 have a sample deviation of √½; one completion has none.
    assert [row[0] for row in found] == pytest.approx([0.5 * 2**0.5, -0.5 * 2**0.5, 0.5])


def test_what_was_not_trained_on_stays_without_but_counts_in_its_group() -> None:
    rows = [group_row([1.0, 0.0], [0.7, None]), group_row([1.0, 0.0], [None, None])]
    found = recomputed(rows, UNSCALED, plain, baseline=None, window=20)
    assert advantages(found) == [[0.5, None], [None, None]]


def test_hinted_groups_and_steps_not_taken_leave_the_means_alone() -> None:
    rows = [
        fresh(1, [1.0, 0.0]),
        fresh(2, [1.0, 1.0], hinted=True),
        group_row([1.0, 1.0], [None, None], step=3),
        replayed(4, [1.0]),
        fresh(5, [0.0, None]),
        fresh(6, [0.0]),
    ]
    assert running_means(rows, 20) == pytest.approx([0, 0.5, 0.5, 0.5, 0.5, 1 / 3])
    assert running_means(rows, 2)[-1] == 0.0  # of the last two rewards, both 0


def test_the_means_are_those_of_the_replay_buffer() -> None:
    rng = random.Random(0)
    buffer = ReplayBuffer(window=5)
    rows, expected = [], []
    for step in range(1, 60):
        visited = [f"p{rng.randrange(6)}" for _ in range(2)]
        expected += [buffer.baseline(prompt_id) for prompt_id in visited]
        for prompt_id in visited:
            rewards = [rng.choice([0.0, 0.5, 1.0, None]) for _ in range(4)]
            hinted = rng.random() < 0.2
            rows.append(fresh(step, rewards, prompt_id=prompt_id, hinted=hinted))
            completions = tuple(
                Completion(np.zeros(1, np.int32), np.zeros(1, np.float32), "", False, reward)
                for reward in rewards
            )
            buffer.insert(Group(prompt_id, step, completions, hinted))
    assert running_means(rows, 5) == pytest.approx(expected, abs=1e-12)
    assert len(expected) == 118


def test_the_signals_tell_groups_apart_that_teach_nothing() -> None:
    rows = [fresh(1, [1.0, 1.0]), group_row([1.0, 0.0], [0.5, -0.5], step=2, policy_step=2)]
    result = what_if(rows, UNSCALED, UNSCALED, plain, baseline="vcrs", window=20)
    assert result.recorded.signals["fresh"].silent_share == 0.5
    # Against R̄ = 0, then 1: advantages 1, 1 and 0, -1.
    assert result.changed.signals["fresh"].silent_share == 0.0
    assert result.changed.signals["fresh"].completions.mean == 0.25
    assert result.changed.signals["replayed"].silent_share is None
    assert result.recorded.baselines == {"fresh": "group", "replayed": "vcrs"}
    assert result.changed.baselines == {"fresh": "vcrs", "replayed": "vcrs"}


def test_lambda_and_shape_change_what_the_tokens_get_and_nothing_else() -> None:
    rows = [group_row([1.0, 0.0], [0.5, -0.5])]
    other = UNSCALED.model_copy(update={"tas_lambda": 1.0, "tas_shape": "linear-incline"})
    result = what_if(rows, UNSCALED, other, plain, baseline=None, window=20)
    before, after = (scenario.signals["all"] for scenario in (result.recorded, result.changed))
    assert before.completions == after.completions
    # Five tokens: 1 + 0.3 (1, ¼, 0, ¼, 1) on average 1.15; 1 + (0, ¼, ½, ¾, 1) on average 1.5.
    assert before.tokens.weight_mean == pytest.approx(1.15)
    assert after.tokens.weight_mean == pytest.approx(1.5)
    document = result.changed.to_document()
    assert (document["tas_lambda"], document["tas_shape"]) == (1.0, "linear-incline")
    assert document["all"]["completions"]["magnitudes"]["counts"] == (0, 0, 0, 2, 0, 0)


@pytest.mark.parametrize(
    "setting",
    ["advantage.baseline=shrinkage", "replay.inject_success=true", "replay.priority=fresh"],
)
def test_runs_whose_advantages_need_more_than_the_records_are_refused(setting: str) -> None:
    check_recomputable(resolve_train(stage=1))
    with pytest.raises(UsageError, match=setting.replace(".", r"\.")):
        check_recomputable(resolve_train(stage=1, assignments=[setting]))
