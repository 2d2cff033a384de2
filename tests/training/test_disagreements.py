"""Rows of the table of disagreements that concern the loop, and checks that need a whole step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import pytest
import torch

from avatar_core.asking import Asker
from avatar_core.config.replay import ReplayConfig
from avatar_core.config.resolve import resolve_train
from avatar_core.models.qwen_omni import QwenOmniPolicy
from avatar_core.replay import ReplayBuffer
from avatar_core.rewards import REWARDS
from avatar_core.training.checkpoint import TrainerState
from avatar_core.training.curriculum import Course
from avatar_core.training.lookahead import Lookahead
from avatar_core.training.loop import reinforce
from avatar_core.training.optimiser import make_optimiser
from avatar_core.training.rollout import Visit
from avatar_core.training.rows import metrics_row
from avatar_core.training.telemetry import Counters
from avatar_core.training.trainee import Trainee
from avatar_core.training.update import Part
from avatar_core.types import Group, Sample
from tests.training.gradients import update_loss
from tests.training.test_update import PLAIN, disturb, logprobs_by_hand, part, settings


class Counted(NamedTuple):
    generated: list[int]
    trained: list[int]
    replayed: list[int]
    stored: list[int]
    voters: list[int]
    """Completions that the self-consistency reward saw together, step by step."""


def counted(
    policy: QwenOmniPolicy, asker: Asker, sample: Sample, voters: list[int], *assignments: str
) -> Counted:
    """Visit one prompt three times with groups of 4, of which 2 are replayed if 2 can be."""
    config = resolve_train(
        stage=2,
        assignments=[
            "steps=3",
            "rollout.prompts_per_step=1",
            "rollout.group_size=4",
            "rollout.fresh_per_group=2",
            "sampling.max_new_tokens=4",
            "reward.weights={ self = 1.0, spread = 1.0, accuracy = 0.0 }",
            "hints.enabled=false",
            *PLAIN,
            *assignments,
        ],
    )
    buffer = ReplayBuffer.from_config(config.replay)
    optimiser = make_optimiser(policy.parameters(), config.optim)
    state = TrainerState(optimiser, Counters(), buffer, "")
    course = Course(pool=1, per_step=1, window=1, visits=3, seed=0)
    stored, voters[:] = [], []
    with Lookahead(asker) as lookahead:
        trainee = Trainee(policy, lookahead, {sample.id: sample}, course, state)
        rows = []
        for record in reinforce(trainee, config, done=0):
            rows.append(metrics_row(record, state.counters))
            stored.append(len(buffer))
    return Counted(
        [row.completions_generated for row in rows],
        [row.completions_trained for row in rows],
        [row.completions_replayed for row in rows],
        stored,
        list(voters),
    )


@pytest.fixture
def voters(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Sizes of the groups that the reward `self` is asked about."""
    sizes: list[int] = []

    def watching(texts: Sequence[str], sample: Sample, ties: str = "") -> list[float | None]:
        sizes.append(len(texts))
        return [0.0] * len(texts)

    monkeypatch.setitem(REWARDS, "self", watching)
    return sizes


def test_row_6_what_gives_way_to_replay_is_not_generated_or_generated_and_discarded(
    policy: QwenOmniPolicy, asker: Asker, samples: list[Sample], voters: list[int]
) -> None:
    paper = counted(policy, asker, samples[0], voters, "replay.min_fill=4")
    # Four while nothing is stored; then two, and two are replayed.
    assert paper == Counted([4, 6, 8], [4, 8, 12], [0, 2, 4], [4, 6, 8], [4, 2, 2])
    release = counted(
        policy, asker, samples[0], voters, "replay.min_fill=4", "rollout.discard=true"
    )
    # All four each time: scored and voting together and stored, while two are trained on.
    assert release == Counted([4, 8, 12], [4, 8, 12], [0, 2, 4], [4, 8, 12], [4, 4, 4])


def test_row_15_below_the_fill_everything_is_fresh(
    policy: QwenOmniPolicy, asker: Asker, samples: list[Sample], voters: list[int]
) -> None:
    assert ReplayConfig().min_fill == 128
    late = counted(policy, asker, samples[0], voters, "replay.min_fill=8")
    # Eight are stored before the third step.
    assert late == Counted([4, 8, 10], [4, 8, 12], [0, 0, 2], [4, 8, 10], [4, 4, 2])


def test_a_replayed_ratio_is_one_until_the_policy_moves_and_the_clip_then_bounds_it(
    policy: QwenOmniPolicy, visits: list[Visit]
) -> None:
    made = part(policy, visits, [torch.ones(2)] * 3)
    buffer = ReplayBuffer(min_fill=1, members_per_group=2)
    for visit, members in zip(visits, made.completions, strict=True):
        scored = tuple(replace(member, reward=1.0) for member in members)
        buffer.insert(Group(visit.sample.id, 1, scored))
    stored = {group.group.prompt_id: group.group.completions for group in buffer.groups()}

    def replayed() -> Part:
        encoded = policy.encode([visit.prepared for visit in visits])
        members = [stored[visit.sample.id] for visit in visits]
        return Part(encoded, visits, members, made.advantages)

    config = settings(*PLAIN)
    before = update_loss(policy, [replayed()], config)
    assert float(before.clip_high) == 0.0
    assert float(before.loss.detach()) == pytest.approx(-1.0, abs=1e-5)
    disturb(policy)
    after = update_loss(policy, [replayed()], config)
    # A = 1 everywhere, so a completion counts −mean(min(ρ, 1.2)), ρ to the stored log-probs.
    rows, unclipped, largest = list[float](), list[float](), 0.0
    for current, member in zip(
        logprobs_by_hand(policy, made),
        (member for members in made.completions for member in members),
        strict=True,
    ):
        ratio = (current.detach() - torch.from_numpy(member.logprobs)).exp()
        rows.append(float(ratio.clamp(max=1.2).mean()))
        unclipped.append(float(ratio.mean()))
        largest = max(largest, float(ratio.max()))
    assert len(rows) == 6
    assert largest > 1.2
    assert float(after.clip_high) > 0
    assert float(after.loss.detach()) == pytest.approx(-sum(rows) / 6, rel=1e-5)
    assert sum(unclipped) > sum(rows) + 1e-3
