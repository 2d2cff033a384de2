from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from avatar_core.config.resolve import resolve_train
from avatar_core.config.train import TrainConfig
from avatar_core.replay import ReplayBuffer
from avatar_core.training.checkpoint import TrainerState
from avatar_core.training.comparing import advantages_of, compare, remember
from avatar_core.training.rollout import Visit
from avatar_core.training.telemetry import Counters
from avatar_core.training.update import NOTHING_REPLAYED, fresh_advantages
from avatar_core.types import Sample
from tests.training.groups import completion, group

SHRUNK = ("advantage.baseline=shrinkage", "advantage.prior_strength=1", "advantage.forgetting=1")


def settings(*assignments: str) -> TrainConfig:
    return resolve_train(stage=1, assignments=assignments)


@pytest.fixture
def state() -> TrainerState:
    return TrainerState(None, Counters(), ReplayBuffer(min_fill=0), "")  # type: ignore[arg-type]


def test_groups_of_one_size_are_compared_as_ever(state: TrainerState) -> None:
    groups = [group("a", 1.0, 0.0, None), group("b", 0.3, 0.7, 0.1)]
    for config in (settings(), settings("advantage.scale=none")):
        found = advantages_of(groups, state, config)
        expected = fresh_advantages(groups, config.advantage)
        assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))


def test_groups_of_several_sizes_are_compared_each_for_itself(state: TrainerState) -> None:
    groups = [group("a", 1.0, 0.0), group("b", 0.3, 0.7, None, 0.1), group("c", 1.0)]
    found = advantages_of(groups, state, settings())
    assert [len(row) for row in found] == [2, 4, 1]
    for one, row in zip(groups, found, strict=True):
        (alone,) = fresh_advantages([one], settings().advantage)
        assert torch.allclose(row, alone, atol=1e-6)


def test_shrinkage_compares_with_what_was_remembered(state: TrainerState) -> None:
    config = settings(*SHRUNK)
    remember(state, config, [group("a", 1.0, 0.0, 0.0, 0.0, step=1)])
    found = advantages_of([group("a", 1.0, 1.0, step=2), group("b", 0.5, step=2)], state, config)
    # (4 (1 − ¼) + 0) / (4 + 1) = 0.6 each, which is also σ; `b` has neither memory nor company.
    assert [row.tolist() for row in found] == [[1.0, 1.0], [0.0]]
    assert all(row.dtype == torch.float32 for row in found)
    plain = advantages_of([group("a", 1.0, 1.0, step=2)], state, settings())
    assert plain[0].tolist() == [0.0, 0.0]


def test_shrinkage_gives_exactly_nothing_for_what_is_always_the_same(state: TrainerState) -> None:
    config = settings(*SHRUNK)
    for step in range(1, 6):
        groups = [group("a", *[0.1] * step, step=step)]
        assert advantages_of(groups, state, config)[0].tolist() == [0.0] * step
        remember(state, config, groups)


def test_remembering_is_asked_for_by_the_options(state: TrainerState) -> None:
    cases = {
        (): (False, False),
        ("advantage.baseline=shrinkage",): (True, False),
        ("rollout.adaptive_group=true",): (True, False),
        ("rollout.skip=true",): (False, True),
    }
    for assignments, (memories, runs) in cases.items():
        fresh = replace(state, memories=type(state.memories)(), runs=type(state.runs)())
        remember(fresh, settings(*assignments), [group("a", 1.0, 1.0)])
        assert bool(fresh.memories.state_dict()) is memories
        assert bool(fresh.runs.state_dict()) is runs


@pytest.mark.parametrize("baseline", ["group", "shrinkage"])
def test_a_stored_success_gives_failures_something_to_be_worse_than(
    state: TrainerState, baseline: str
) -> None:
    config = settings(f"advantage.baseline={baseline}", "replay.inject_success=true")
    failed = group("a", 0.0, 0.0, step=5)
    wrong = tuple(completion(0.0, accuracy=0.0) for _ in range(2))
    failed = replace(failed, completions=wrong)
    right = replace(failed, step=2, completions=(completion(1.0, accuracy=1.0),))
    sample = Sample("a", "?", (), "A", "multiple choice")
    visits = [Visit(sample, None, "")]  # type: ignore[arg-type]
    (silent,), nothing = compare(state, config, visits, [failed], NOTHING_REPLAYED)
    assert silent.tolist() == [0.0, 0.0] and nothing.size == 0
    state.buffer.insert(right)
    (values,), rehearsal = compare(state, config, visits, [failed], NOTHING_REPLAYED)
    assert len(values) == 2 and bool((values < 0).all())
    (injected,) = rehearsal.replayed
    assert bool((injected.advantages > 0).all())
    # 0, 0, 1 have mean 1/3; by the others' means the gaps are −½, −½, 1. Both add up to 0.
    assert abs(float(values.sum() + injected.advantages.sum())) < 1e-6
    off = config.model_copy(update={"replay": settings().replay})
    assert compare(state, off, visits, [failed], NOTHING_REPLAYED).rehearsal is NOTHING_REPLAYED
