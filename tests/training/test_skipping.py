from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest

from avatar_core.algo.skipping import Run
from avatar_core.config.resolve import resolve_train
from avatar_core.config.train import TrainConfig
from avatar_core.training.curriculum import Course
from avatar_core.training.skipping import Runs, Walk, walk, walk_of_step
from tests.training.groups import group

COURSE = Course(pool=6, per_step=4, window=6, visits=2, seed=1)
IDS = ["a", "b", "c", "d", "e", "f"]


def settings(*assignments: str) -> TrainConfig:
    return resolve_train(stage=1, assignments=["rollout.skip=true", *assignments])


def dead(*names: str, length: int = 1000) -> Runs:
    runs = Runs()
    runs.observe([group(name, *[0.0] * length) for name in names])
    return runs


def steps(runs: Runs, config: TrainConfig, count: int) -> list[Walk]:
    """The walks of steps 1 to `count` when no rewards come in between."""
    found, skipped = [], 0
    for step in range(1, count + 1):
        found.append(walk_of_step(COURSE, runs, IDS, config, step=step, skipped=skipped))
        skipped += found[-1].skipped
    return found


def test_a_walk_goes_on_until_a_step_has_all_its_prompts() -> None:
    order = [COURSE.at(place) for place in range(40)]
    found = walk(COURSE, 5, lambda place, prompt: place in (5, 7, 8))
    assert found == Walk([order[6], order[9], order[10], order[11]], 3)
    assert walk(COURSE, 5, lambda place, prompt: False) == Walk(order[5:9], 0)


def test_without_dead_prompts_the_course_is_as_without_the_option() -> None:
    plain = settings("rollout.skip=false")
    for config, runs in ((settings(), Runs()), (plain, dead(*IDS))):
        found = steps(runs, config, 9)
        assert found == [Walk(COURSE.prompts(step), 0) for step in range(1, 10)]


def test_dead_prompts_come_up_less_often_and_never_vanish() -> None:
    # Skipped with probability ½ (1 − ½^(999/7)): half of the visits of `a` and `b`.
    found = steps(dead("a", "b"), settings(), 600)
    assert all(len(one.prompts) == COURSE.per_step for one in found)
    visits = Counter(IDS[prompt] for one in found for prompt in one.prompts)
    passes = (4 * 600 + sum(one.skipped for one in found)) / 6
    # Half of ~480 passes each, with a standard deviation of 11.
    for name in ("a", "b"):
        assert abs(visits[name] / passes - 0.5) < 0.1
    for name in ("c", "d", "e", "f"):
        assert abs(visits[name] - passes) <= 1
    skipped = sum(one.skipped for one in found)
    assert skipped == round(6 * passes) - sum(visits.values()) > 0


def test_all_prompts_dead_still_gives_whole_steps() -> None:
    found = steps(dead(*IDS), settings(), 100)
    assert {len(one.prompts) for one in found} == {COURSE.per_step}
    skipped = sum(one.skipped for one in found)
    # Every visit is passed over with probability ½: as many as are made, give or take 29.
    assert abs(skipped - 400) < 120


def test_a_walk_follows_from_seed_place_and_rewards_alone() -> None:
    config, runs = settings(), dead("a", "b", "c")
    whole = steps(runs, config, 20)
    assert steps(runs, config, 20) == whole
    before = sum(one.skipped for one in whole[:12])
    assert walk_of_step(COURSE, runs, IDS, config, step=13, skipped=before) == whole[12]
    other = resolve_train(stage=1, assignments=["rollout.skip=true", "seed=4"])
    assert steps(runs, other, 20) != whole


def test_runs_are_of_fresh_unhinted_scored_rewards() -> None:
    runs = dead("a", length=3)
    runs.observe([group("a", 0.0, None), group("b", None), group("c", 1.0, 1.0)])
    runs.observe([replace(group("c", 0.0), hinted=True), group("d", 0.0, 1.0)])
    assert [runs.of(name) for name in "abcd"] == [Run(0.0, 4), Run(), Run(1.0, 2), Run()]


def test_what_is_saved_comes_back() -> None:
    runs, again = dead("a", "b", length=3), Runs()
    again.load_state_dict(json.loads(json.dumps(runs.state_dict())))
    assert [again.of(name) for name in "abc"] == [Run(0.0, 3), Run(0.0, 3), Run()]
    again.load_state_dict({})
    assert again.state_dict() == {}


@pytest.mark.parametrize("keep", [0.1, 1.0])
def test_what_is_kept_of_those_on_trial_can_be_set(keep: float) -> None:
    found = steps(dead(*IDS, length=2), settings(f"rollout.skip_keep={keep}"), 200)
    skipped = sum(one.skipped for one in found)
    assert (skipped > 0) == (keep < 1)
