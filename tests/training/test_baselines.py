from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from avatar_core.algo.shrinkage import Memory
from avatar_core.config.resolve import resolve_train
from avatar_core.config.train import AdvantageConfig, TrainConfig
from avatar_core.training.baselines import Memories, group_sizes, memories_of
from avatar_core.training.rollout import Visit
from avatar_core.types import Sample
from tests.training.groups import group

HALF = AdvantageConfig(forgetting=0.5)


def visit(name: str, *, hinted: bool = False) -> Visit:
    sample = Sample(name, "?", (), "A", "multiple choice")
    return Visit(sample, None, "", hinted=hinted)  # type: ignore[arg-type]


def settings(*assignments: str) -> TrainConfig:
    return resolve_train(stage=1, assignments=["advantage.forgetting=0.5", *assignments])


def known() -> Memories:
    """`a` earned 1, 0 and 0 in step 4 and 1 in step 6; `b` only with a hint, `c` no score."""
    memories = Memories()
    memories.observe([group("a", 1.0, 0.0, 0.0, step=4)], 0.5)
    hinted = replace(group("b", 1.0, 1.0, step=5), hinted=True)
    memories.observe([hinted, group("c", None, None, step=5)], 0.5)
    memories.observe([group("a", 1.0, None, step=6)], 0.5)
    return memories


def test_fresh_unhinted_scored_rewards_enter_and_nothing_else() -> None:
    memories = known()
    # Two steps leave 3/4 of three rewards of mean 1/3; with a 1 they weigh 7/4, of mean 5/7.
    found = memories.at("a", 6, 0.5)
    assert (found.weight, found.step) == (1.75, 6)
    assert math.isclose(found.mean, (0.25 + 1) / 1.75)
    assert memories.at("a", 8, 0.5).weight == 1.75 / 4
    for name in ("b", "c", "never seen"):
        assert memories.at(name, 8, 0.5).weight == 0.0


def test_asking_changes_nothing() -> None:
    memories = known()
    before = memories.state_dict()
    memories.at("a", 100, 0.5)
    memories_of(memories, [group("a", 1.0, step=90), group("d", 1.0, step=90)], HALF)
    assert memories.state_dict() == before


def test_a_visit_with_a_hint_is_not_compared_with_visits_without() -> None:
    plain = group("a", 1.0, step=8)
    found = memories_of(known(), [plain, replace(plain, hinted=True)], HALF)
    assert [memory.weight for memory in found] == [1.75 / 4, 0.0]


def test_what_is_saved_comes_back_to_the_last_bit() -> None:
    memories, again = known(), Memories()
    again.load_state_dict(json.loads(json.dumps(memories.state_dict())))
    assert again.at("a", 9, 0.98) == memories.at("a", 9, 0.98) != Memory(step=9)
    again.load_state_dict({})
    assert again.state_dict() == {}


@pytest.mark.parametrize("least", [1, 3])
def test_a_group_is_the_smaller_the_more_is_remembered(least: int) -> None:
    config = settings(
        "rollout.adaptive_group=true", f"rollout.min_group={least}", "advantage.prior_strength=1"
    )
    memories = known()
    memories.observe([group("e", *[0.5] * 9, step=6)], 0.5)
    visits = [visit("a"), visit("a", hinted=True), visit("never seen"), visit("e")]
    # At step 6 `a` is worth 1.75 rewards, ⌈4 − 1.75⌉ = 3, and `e` 9.
    sizes = group_sizes(memories, visits, config, most=4, step=6)
    assert sizes == [3, 4, 4, least]
    # Two steps later `e` is worth 9/4 rewards, ⌈4 − 2.25⌉ = 2, and `a` 1.75/4.
    later = group_sizes(memories, visits, config, most=4, step=8)
    assert later == [4, 4, 4, max(least, 2)]


def test_without_the_option_every_visit_gets_a_whole_group() -> None:
    sizes = group_sizes(known(), [visit("a"), visit("z")], settings(), most=5, step=6)
    assert sizes == [5, 5]
