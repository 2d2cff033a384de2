"""Passing over some visits of prompts that have long earned one and the same reward.

Which visits are passed over follows from the run seed, the place of the visit in the course, and
the rewards of the steps before. The place of the next visit is the number of visits made and passed
over so far; both are saved with every checkpoint, so a resumed run visits alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from avatar_core.algo.skipping import Run, continued, skip_probability
from avatar_core.config.train import TrainConfig
from avatar_core.seeds import rng_from
from avatar_core.training.curriculum import Course
from avatar_core.training.rollout import scored_rewards
from avatar_core.types import Group


class Runs:
    """The latest equal rewards of every prompt, by id."""

    def __init__(self) -> None:
        self._prompts: dict[str, Run] = {}

    def of(self, prompt_id: str) -> Run:
        """The run of a prompt; of no length when it is new."""
        return self._prompts.get(prompt_id, Run())

    def observe(self, groups: Iterable[Group]) -> None:
        """Take in the fresh groups of a step that was taken; hinted ones are left out."""
        for group in groups:
            rewards = scored_rewards(group)
            if rewards and not group.hinted:
                self._prompts[group.prompt_id] = continued(self.of(group.prompt_id), rewards)

    def state_dict(self) -> dict[str, Any]:
        """Everything as JSON values."""
        return {name: list(run) for name, run in self._prompts.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave; nothing is a run in which nothing was observed."""
        self._prompts = {name: Run(*values) for name, values in state.items()}


class Walk(NamedTuple):
    """The prompts of a step."""

    prompts: list[int]
    """Indices into the pool, in order."""
    skipped: int
    """Visits passed over on the way."""


def walk(course: Course, first: int, skips: Callable[[int, int], bool]) -> Walk:
    """Go along a course from a place on until a step has all its prompts.

    Args:
        course: says which prompt is at a place, and how many a step visits.
        first: place of the first visit.
        skips: says of a place and its prompt whether the visit is passed over; never always.
    """
    prompts: list[int] = []
    place = first
    while len(prompts) < course.per_step:
        prompt = course.at(place)
        if not skips(place, prompt):
            prompts.append(prompt)
        place += 1
    return Walk(prompts, place - first - len(prompts))


def walk_of_step(
    course: Course, runs: Runs, ids: list[str], config: TrainConfig, *, step: int, skipped: int
) -> Walk:
    """The prompts that a step visits.

    Args:
        course: the order of visits.
        runs: what is known of the prompts.
        ids: the prompts, as the course counts them.
        config: of the run; without `rollout.skip` the step is the course's own.
        step: optimiser step, from 1.
        skipped: visits passed over in the steps before.
    """
    rollout = config.rollout
    if not rollout.skip:
        return Walk(course.prompts(step), 0)

    def skips(place: int, prompt: int) -> bool:
        chance = skip_probability(
            runs.of(ids[prompt]).length,
            group_size=rollout.group_size,
            keep=rollout.skip_keep,
            uniform=rollout.skip_uniform,
        )
        return chance > 0 and rng_from(config.seed, "skip", place).random() < chance

    return walk(course, (step - 1) * course.per_step + skipped, skips)
