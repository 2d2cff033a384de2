"""Which prompts a step visits: a pure function of seed and step, so nothing has to be saved.

Prompts are shuffled once per epoch and cut into windows; a window is passed over `visits` times,
each pass in an order of its own, before the next window comes up. So prompts recur while their
baseline is fresh.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from avatar_core.config.train import TrainConfig
from avatar_core.seeds import rng_from


@dataclass(frozen=True, slots=True)
class Course:
    """The order in which a run visits its prompts.

    Attributes:
        pool: number of prompts.
        per_step: prompts visited by a step.
        window: prompts that recur together; a larger one than the pool is the pool.
        visits: passes over a window.
        seed: run seed.

    >>> course = Course(pool=3, per_step=3, window=3, visits=2, seed=0)
    >>> [sorted(course.prompts(step)) for step in (1, 2)]
    [[0, 1, 2], [0, 1, 2]]
    """

    pool: int
    per_step: int
    window: int
    visits: int
    seed: int

    def prompts(self, step: int) -> list[int]:
        """Indices into the pool of the prompts that step `step` (from 1) visits."""
        first = (step - 1) * self.per_step
        return [self.at(place) for place in range(first, first + self.per_step)]

    def epochs(self, step: int, skipped: int = 0) -> float:
        """Passes over the pool after `step` steps, a visit counting as 1/visits of a pass.

        Args:
            step: number of steps.
            skipped: visits passed over in them.
        """
        return (step * self.per_step + skipped) / (self.pool * self.visits)

    def at(self, place: int) -> int:
        """Prompt at one place of the visiting order, from 0."""
        epoch, within = divmod(place, self.pool * self.visits)
        size = min(self.window, self.pool)
        number, within = divmod(within, size * self.visits)
        # The last window of an epoch holds what is left of the pool.
        size = min(size, self.pool - number * size)
        turn, spot = divmod(within, size)
        return _pass_order(self, epoch, number, turn)[spot]


def course_of(config: TrainConfig, pool: int) -> Course:
    """The course of a run over `pool` prompts; stage 0 passes over all of them again and again."""
    if config.stage == 0:
        return Course(pool, config.supervised.batch_size, pool, 1, config.seed)
    rollout = config.rollout
    return Course(pool, rollout.prompts_per_step, rollout.window, rollout.visits, config.seed)


@lru_cache(maxsize=4)
def _epoch_order(pool: int, seed: int, epoch: int) -> tuple[int, ...]:
    order = list(range(pool))
    rng_from(seed, "epoch", epoch).shuffle(order)
    return tuple(order)


@lru_cache(maxsize=8)
def _pass_order(course: Course, epoch: int, number: int, turn: int) -> tuple[int, ...]:
    """Order of one pass over one window."""
    size = min(course.window, course.pool)
    order = _epoch_order(course.pool, course.seed, epoch)
    members = list(order[number * size : (number + 1) * size])
    rng_from(course.seed, "window", epoch, number, turn).shuffle(members)
    return tuple(members)
