"""Preset `plus`: what it switches on, that each switch stands alone, and the rules among them."""

from __future__ import annotations

import pytest

from avatar_core.config.resolve import flatten, resolve_train
from avatar_core.config.train import LEAST_VOTES, TrainConfig
from avatar_core.errors import UsageError

SWITCHES = {
    "advantage.baseline": "group",
    "rollout.adaptive_group": False,
    "rollout.skip": False,
    "replay.inject_success": False,
    "replay.priority": "uniform",
}
"""The options of plus and what each is without it."""
NUMBERS = {
    "preset",
    "advantage.baseline",
    "loss.ratio_cap",
    "replay.inject_success",
    "replay.max_age",
    "replay.max_reuse",
    "replay.members_per_group",
    "replay.min_fill",
    "replay.priority",
    "rollout.adaptive_group",
    "rollout.group_size",
    "rollout.prompts_per_step",
    "rollout.skip",
    "rollout.visits",
    "rollout.window",
}


def preset(name: str, stage: int, *assignments: str, model: str = "some/model") -> TrainConfig:
    return resolve_train(stage=stage, preset=name, assignments=assignments, flags={"model": model})


def test_every_option_is_off_in_every_other_preset() -> None:
    cases = 0
    for name in ("paper", "release", "grpo"):
        for stage in range(4):
            for model in ("tiny", "some/model"):
                values = flatten(preset(name, stage, model=model).model_dump(mode="json"))
                off = {key: values[key] for key in SWITCHES if key != "replay.priority"}
                assert off == {key: SWITCHES[key] for key in off}
                assert values["loss.ratio_cap"] is None
                cases += 1
    assert cases == 24


def test_plus_differs_from_the_paper_in_these() -> None:
    paper = flatten(preset("paper", 1).model_dump(mode="json"))
    plus = flatten(preset("plus", 1).model_dump(mode="json"))
    assert {key for key in plus if plus[key] != paper.get(key)} == NUMBERS
    assert {key: plus[key] for key in SWITCHES} == {
        "advantage.baseline": "shrinkage",
        "rollout.adaptive_group": True,
        "rollout.skip": True,
        "replay.inject_success": True,
        "replay.priority": "fresh",
    }
    for stage in (1, 2, 3):
        assert preset("plus", stage).reward == preset("paper", stage).reward


@pytest.mark.parametrize("model", ["tiny", "some/model"])
@pytest.mark.parametrize("key", SWITCHES)
def test_each_option_is_taken_back_by_one_key(key: str, model: str) -> None:
    value = SWITCHES[key]
    written = str(value).lower()
    for stage in (1, 2, 3):
        whole = flatten(preset("plus", stage, model=model).model_dump(mode="json"))
        less = preset("plus", stage, f"{key}={written}", model=model)
        left = flatten(less.model_dump(mode="json"))
        assert {name for name in whole if whole[name] != left[name]} == {key}
        assert left[key] == value


def test_prompts_of_the_embedded_model_come_back() -> None:
    for stage in (1, 2, 3):
        config = preset("plus", stage, model="tiny")
        assert config.rollout.visits > 1
        assert config.rollout.prompts_per_step == 8
        # Within the time in which a replayed group is drawn at all.
        passes = config.rollout.visits * config.rollout.window / config.rollout.prompts_per_step
        assert config.replay.max_age is not None and passes <= config.replay.max_age
    # Stage 0 teaches what it teaches under every preset, so the cold start is shared.
    assert (
        preset("plus", 0, model="tiny").rollout.pool
        == preset("paper", 0, model="tiny").rollout.pool
    )


def test_a_majority_has_enough_votes() -> None:
    assert preset("plus", 2).rollout.min_group == LEAST_VOTES
    with pytest.raises(UsageError, match="reward.*majority of at least 4.*rollout.min_group=4"):
        preset("plus", 2, "rollout.min_group=2")
    # Without votes that count, or groups that adapt, there is nothing to refuse.
    for allowed in (
        ("rollout.min_group=2", "reward.weights={ accuracy = 1.0, self = 0.0 }"),
        ("rollout.min_group=2", "rollout.adaptive_group=false"),
    ):
        assert preset("plus", 2, *allowed).rollout.min_group == 2


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("rollout.min_group=5", "rollout.min_group=5 exceeds rollout.fresh_per_group=4"),
        ("rollout.min_group=0", "rollout.min_group"),
        ("rollout.skip_uniform=0.4", "rollout.skip_uniform"),
        ("rollout.skip_keep=0", "rollout.skip_keep"),
        ("advantage.forgetting=0", "advantage.forgetting"),
        ("advantage.prior_strength=0", "advantage.prior_strength"),
        ("advantage.baseline=vcrs", "advantage.baseline"),
    ],
)
def test_settings_out_of_range_are_refused(assignment: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        preset("plus", 1, assignment)
