from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch

from avatar_core.algo.losses import policy_loss
from avatar_core.replay import Drawn
from avatar_core.training.rollout import Visit
from avatar_core.training.rows import (
    DIAGNOSTICS,
    StepRecord,
    diagnostics,
    group_rows,
    metrics_row,
    phase_seconds,
)
from avatar_core.training.step import NOT_TAKEN, StepOutcome
from avatar_core.training.telemetry import Counters
from avatar_core.training.trainee import Look
from avatar_core.training.update import Rehearsal, Replayed
from avatar_core.types import Completion, Group, Sample
from tests.training.groups import completion


def visit(name: str, family: str | None, tokens: int = 0) -> Visit:
    sample = Sample(name, "?", (), "A", "multiple choice", family=family)
    return Visit(sample, cast("Any", SimpleNamespace(input_ids=[0] * tokens)), "")


def scored(*pairs: tuple[float | None, float | None]) -> tuple[Completion, ...]:
    return tuple(completion(reward, accuracy=accuracy) for reward, accuracy in pairs)


A = Group("a", 9, scored((1.0, 1.0), (0.5, 0.0), (None, None), (0.5, 1.0)))
B = Group("b", 9, scored((0.0, 0.0), (0.0, 0.0), (0.0, 0.0), (0.0, 0.0)))
OLD = Group("c", 4, scored((1.0, 1.0), (0.25, 0.0)))


TAKEN = StepOutcome(taken=True, grad_norm=0.5)


VISITS = [visit("a", "count", 20), visit("b", None, 30), visit("c", "where", 7)]


def record(outcome: StepOutcome = TAKEN, **changes: Any) -> StepRecord:
    draw = Drawn(group=OLD, member=1, tier="medium", number=3, reuse=2)
    replayed = Replayed(OLD, [1, 0], draw, torch.tensor([-0.05, 2.0]), baseline=0.3)
    given = StepRecord(
        step=9,
        stage=2,
        epoch=0.75,
        look=Look(VISITS[:2], []),
        outcome=outcome,
        lr=1e-4,
        seconds={"media": 1.5, "train": 2.5},
        fresh=[A, B],
        advantages=[torch.tensor([1.0, -0.5, 0.0, -0.5]), torch.zeros(4)],
        kept=[[0, 1, 2, 3], [0, 1, 2, 3]],
        samples={one.sample.id: one.sample for one in VISITS},
        rehearsal=Rehearsal([replayed], [VISITS[2]]),
        tiers={"easy": 1, "medium": 2, "hard": 3},
        tier_of={"a": "easy", "b": "hard"},
        diagnostics={"loss": 0.25, "kl": 0.01, "clip_low": 0.0, "clip_high": 0.5, "ess": 1.0},
    )
    return given._replace(**changes)


def test_a_metrics_row_by_hand() -> None:
    row = metrics_row(record(), Counters(completions_generated=80, media_failed=3))
    assert (row.step, row.stage, row.epoch, row.lr, row.grad_norm) == (9, 2, 0.75, 1e-4, 0.5)
    assert (row.completions_generated, row.media_failed) == (80, 3)
    # Seven scored rewards: 1, ½, ½ and four 0, mean 2/7, mean of squares 1.5/7.
    assert row.reward_mean == pytest.approx(2 / 7)
    assert row.reward_std == pytest.approx((1.5 / 7 - 4 / 49) ** 0.5)
    assert row.accuracy_fresh == pytest.approx(2 / 7)
    assert row.families == {"count": pytest.approx(2 / 3), "other": 0.0}
    # {1, ½} and {0}.
    assert row.unique_rewards_mean == 1.5
    # 1, −½, 0, −½, 0, 0, 0, 0: sum 0, squares 1.5; five of eight within 0.1.
    assert row.adv_mean == pytest.approx(0.0)
    assert row.adv_std == pytest.approx((1.5 / 8) ** 0.5)
    assert row.adv_small_share == 5 / 8
    assert row.replay_adv_mean == pytest.approx(0.975)
    assert row.replay_adv_small_share == 0.5
    assert (row.replay_age_mean, row.replay_reuse_mean) == (5.0, 2.0)
    assert (row.tier_easy, row.tier_medium, row.tier_hard) == (1, 2, 3)
    assert (row.loss, row.kl, row.clip_low, row.clip_high, row.ess) == (0.25, 0.01, 0.0, 0.5, 1.0)
    assert (row.seconds_media, row.seconds_train, row.seconds_generate) == (1.5, 2.5, None)
    # Prompts of 20 and 30 tokens were visited and one of 7 replayed; 8 fresh and 2 replayed
    # completions of 3 tokens were trained on.
    assert (row.tokens_prompt, row.tokens_trained) == (57, 30)
    fewer = metrics_row(record(kept=[[0, 2], []]), Counters())
    assert fewer.tokens_trained == 12


def test_parts_of_phases_by_their_paths() -> None:
    found = phase_seconds(
        {
            "encode": 1.0,
            "encode/encode": 0.75,
            "generate": 10.0,
            "generate/decode": 9.0,
            "generate/decode/prefill": 2.0,
            "train": 20.0,
            "train/logprobs": 5.0,
            "train/reference": 4.0,
            "train/reference/encode": 1.0,
            "train/reference/logprobs": 2.5,
            "train/backward": 6.0,
            "train/optimiser": 3.0,
        }
    )
    assert found == {
        "seconds_media": None,
        "seconds_encode": 1.0,
        "seconds_generate": 10.0,
        "seconds_prefill": 2.0,
        # Nine seconds within `generate`, without the two of the prefill.
        "seconds_decode": 7.0,
        "seconds_reward": None,
        "seconds_train": 20.0,
        # Nothing was replayed.
        "seconds_train_encode": None,
        "seconds_logprobs": 5.0,
        "seconds_reference": 4.0,
        "seconds_backward": 6.0,
        "seconds_optimiser": 3.0,
    }
    assert set(phase_seconds({}).values()) == {None}


def test_a_step_that_was_not_taken_reports_no_numbers_of_it() -> None:
    broken = torch.tensor([float("nan")] * 4)
    told = record(
        NOT_TAKEN, advantages=[broken, broken], diagnostics=dict.fromkeys(DIAGNOSTICS, float("inf"))
    )
    row = metrics_row(told, Counters(skipped_steps=1))
    assert {getattr(row, name) for name in DIAGNOSTICS} == {None}
    assert (row.adv_mean, row.adv_std, row.replay_adv_mean, row.grad_norm) == (None,) * 4
    assert (row.tokens_prompt, row.tokens_trained) == (57, None)
    assert row.reward_mean == pytest.approx(2 / 7)
    advantages = {c.advantage for one in group_rows(told) for c in one.completions}
    assert advantages == {None}


def test_a_step_without_prompts_or_replay_has_nulls() -> None:
    row = metrics_row(
        StepRecord(1, 1, 0.0, Look([], []), NOT_TAKEN, 1e-4, {"media": 0.1}), Counters()
    )
    nulls = {name for name, value in row.to_row().items() if value is None}
    assert nulls >= {
        "reward_mean",
        "reward_std",
        "accuracy_fresh",
        "unique_rewards_mean",
        "adv_mean",
        "replay_adv_mean",
        "replay_age_mean",
        "tier_easy",
        "tokens_trained",
        "seconds_train",
        "seconds_backward",
        *DIAGNOSTICS,
    }
    assert row.tokens_prompt == 0
    assert row.families == {}


def test_group_rows_by_hand() -> None:
    first, second, third = group_rows(record())
    assert (first.prompt_id, first.family, first.source, first.tier) == (
        "a",
        "count",
        "fresh",
        "easy",
    )
    assert (first.step, first.policy_step, first.baseline) == (9, 9, None)
    assert [c.reward for c in first.completions] == [1.0, 0.5, None, 0.5]
    assert [c.advantage for c in first.completions] == [1.0, -0.5, 0.0, -0.5]
    assert (first.no_signal, second.no_signal, second.family) == (False, True, None)
    assert (third.prompt_id, third.family, third.source, third.tier) == (
        "c",
        "where",
        "replayed",
        "medium",
    )
    assert (third.step, third.policy_step, third.baseline) == (9, 4, 0.3)
    # In the order of the draw: member 1, then member 0.
    assert [c.reward for c in third.completions] == [0.25, 1.0]
    assert [c.advantage for c in third.completions] == pytest.approx([-0.05, 2.0])


def test_a_hint_that_holds_the_answer_is_marked_in_the_row_of_its_group() -> None:
    told = visit("a", "count")
    shown = {
        "Look at the left.": False,
        "It is option A.": True,
    }
    for hint, leaked in shown.items():
        sample = replace(told.sample, hint=hint)
        for hinted in (False, True):
            row, *_ = group_rows(
                record(
                    samples={one.sample.id: one.sample for one in VISITS} | {"a": sample},
                    fresh=[replace(A, hinted=hinted), B],
                )
            )
            assert (row.hinted, row.leaked) == (hinted, hinted and leaked)
    assert metrics_row(record(hints_refused=4), Counters()).hints_refused == 4


def test_diagnostics_are_plain_numbers_of_a_loss_that_has_a_gradient() -> None:
    logp = torch.full((1, 2), -1.0, requires_grad=True)
    terms = policy_loss(logp, logp.detach(), torch.ones(1), torch.ones(1, 2, dtype=torch.bool))
    assert diagnostics(terms) == {"loss": -1.0, "clip_low": 0.0, "clip_high": 0.0, "ess": 1.0}
