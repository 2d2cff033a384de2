"""Which prompts a step visits: a pure function of seed and step, so nothing has to be saved.

Prompts are shuffled once per epoch and cut into windows; a window is passed over `visits` times, each pass in
an order of its own, before the next window comes up. So prompts recur while their baseline is fresh.
"""

from __future__ import annotations

from functools import lru_cache

from avatar_core.seeds import rng_from


def prompts_of_step(
    step: int, *, per_step: int, pool: int, window: int, visits: int, seed: int
) -> list[int]:
    """Indices of the prompts that step `step` (from 1) visits.

    Args:
        step: optimiser step, from 1.
        per_step: prompts visited by a step.
        pool: number of prompts.
        window: prompts that recur together; capped at the pool.
        visits: passes over a window.
        seed: run seed.

    Returns:
        `per_step` indices into the pool.

    >>> prompts_of_step(1, per_step=4, pool=4, window=4, visits=2, seed=0) != []
    True
    """
    first = (step - 1) * per_step
    return [
        _prompt_at(place, pool=pool, window=min(window, pool), visits=visits, seed=seed)
        for place in range(first, first + per_step)
    ]


def epoch_of_step(step: int, *, per_step: int, pool: int, visits: int) -> float:
    """Passes over the pool after `step` steps, a visit counting as 1/visits of a pass."""
    return step * per_step / (pool * visits)


@lru_cache(maxsize=2)
def _epoch_order(pool: int, seed: int, epoch: int) -> tuple[int, ...]:
    order = list(range(pool))
    rng_from(seed, "epoch", epoch).shuffle(order)
    return tuple(order)


def _prompt_at(place: int, *, pool: int, window: int, visits: int, seed: int) -> int:
    """Prompt index at one place of the visiting order."""
    epoch, within = divmod(place, pool * visits)
    order = _epoch_order(pool, seed, epoch)
    number = within // (window * visits)
    members = list(order[number * window : (number + 1) * window])
    turn, spot = divmod(within - number * window * visits, len(members))
    rng_from(seed, "window", epoch, number, turn).shuffle(members)
    return members[spot]
