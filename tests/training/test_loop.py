from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from avatar_core.asking import Asker
from avatar_core.config.resolve import resolve_train
from avatar_core.models.qwen_omni import QwenOmniPolicy
from avatar_core.replay import ReplayBuffer
from avatar_core.training.checkpoint import TrainerState
from avatar_core.training.curriculum import Course
from avatar_core.training.lookahead import Lookahead
from avatar_core.training.loop import reinforce, store
from avatar_core.training.rows import StepRecord
from avatar_core.training.step import NOT_TAKEN, StepOutcome
from avatar_core.training.telemetry import Counters
from avatar_core.training.trainee import Look, Trainee
from avatar_core.types import MediaRef, Sample
from tests.training.groups import group

CONFIG = resolve_train(stage=1, assignments=["steps=2", "rollout.prompts_per_step=2"])


@pytest.fixture
def trainee(policy: QwenOmniPolicy, asker: Asker, samples: list[Sample]) -> Trainee:
    return Trainee(
        policy,
        Lookahead(asker),
        {sample.id: sample for sample in samples},
        Course(pool=3, per_step=2, window=3, visits=1, seed=0),
        TrainerState(None, Counters(), ReplayBuffer(min_fill=9), ""),  # type: ignore[arg-type]
    )


def finished(trainee: Trainee, outcome: StepOutcome) -> StepRecord:
    """A step with one group of two completions, both trained on."""
    name = next(iter(trainee.samples))
    return StepRecord(
        step=1,
        stage=1,
        epoch=0.0,
        look=Look([], []),
        outcome=outcome,
        lr=0.1,
        seconds={},
        fresh=[group(name, 1.0, 0.0)],
        advantages=[torch.tensor([1.0, -1.0])],
        kept=[[0, 1]],
    )


def test_what_a_step_drew_is_stored_only_when_the_step_was_taken(trainee: Trainee) -> None:
    buffer, counters = trainee.state.buffer, trainee.state.counters
    (name, *_) = trainee.samples
    store(trainee, CONFIG, [None], finished(trainee, NOT_TAKEN))
    assert list(buffer.groups(name)) == []
    assert (counters.completions_generated, counters.skipped_steps) == (2, 1)
    store(trainee, CONFIG, [None], finished(trainee, StepOutcome(True, 1.0)))
    assert len(list(buffer.groups(name))) == 1
    assert (counters.completions_trained, counters.skipped_steps) == (2, 1)


def test_a_step_without_a_prompt_that_can_be_read_is_recorded_and_trains_nothing(
    trainee: Trainee, tmp_path: Path
) -> None:
    gone = (MediaRef("video", str(tmp_path / "no.mp4")),)
    for name, sample in trainee.samples.items():
        trainee.samples[name] = replace(sample, media=gone)
    records = list(reinforce(trainee, CONFIG, done=0))
    assert [record.step for record in records] == [1, 2]
    for record in records:
        assert record.outcome == NOT_TAKEN and len(record.look.failures) == 2
        assert (record.fresh, record.samples) == ((), trainee.samples)
    assert trainee.state.counters.media_failed == 4
