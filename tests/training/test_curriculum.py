from __future__ import annotations

from collections import Counter

import pytest

from avatar_core.config.resolve import resolve_train
from avatar_core.training import curriculum
from avatar_core.training.curriculum import Course, course_of

# (pool, per step, window, visits): windows that divide the pool, that do not, that exceed it, and
# steps that straddle passes, windows and epochs.
COURSES = [(8, 2, 4, 2), (10, 4, 4, 3), (7, 3, 100, 2), (5, 8, 2, 1), (1, 2, 1, 4), (6, 6, 6, 1)]


def walk(course: Course, places: int) -> list[int]:
    """The first prompts that a course visits, step after step."""
    steps = -(-places // course.per_step)
    return [p for step in range(1, steps + 1) for p in course.prompts(step)][:places]


@pytest.mark.parametrize(("pool", "per_step", "window", "visits"), COURSES)
def test_every_prompt_is_visited_as_often_as_asked_in_an_epoch(
    pool: int, per_step: int, window: int, visits: int
) -> None:
    course = Course(pool, per_step, window, visits, seed=3)
    length = pool * visits
    order = walk(course, 3 * length)
    for epoch in range(3):
        counts = Counter(order[epoch * length : (epoch + 1) * length])
        assert counts == dict.fromkeys(range(pool), visits)


@pytest.mark.parametrize(("pool", "per_step", "window", "visits"), COURSES)
def test_a_prompt_recurs_within_its_window_and_once_a_pass(
    pool: int, per_step: int, window: int, visits: int
) -> None:
    order = walk(Course(pool, per_step, window, visits, seed=3), pool * visits)
    first, windows = 0, 0
    while first < len(order):
        size = min(window, pool - windows * min(window, pool))
        passes = [order[first + size * n : first + size * (n + 1)] for n in range(visits)]
        assert all(sorted(one) == sorted(passes[0]) for one in passes)
        assert len(set(passes[0])) == size
        first += size * visits
        windows += 1
    # ⌈pool / window⌉ windows.
    assert windows == -(-pool // min(window, pool))


def test_a_step_is_a_function_of_seed_and_number_alone() -> None:
    course = Course(50, 4, 16, 2, seed=7)
    forward = [course.prompts(step) for step in range(1, 60)]
    curriculum._epoch_order.cache_clear()
    curriculum._pass_order.cache_clear()
    backward = [course.prompts(step) for step in range(59, 0, -1)]
    assert forward == backward[::-1]
    assert forward != [Course(50, 4, 16, 2, seed=8).prompts(step) for step in range(1, 60)]


def test_passes_and_epochs_have_orders_of_their_own() -> None:
    order = walk(Course(40, 1, 40, 2, seed=0), 160)
    quarters = {tuple(order[first : first + 40]) for first in range(0, 160, 40)}
    assert len(quarters) == 4


def test_epochs_count_visits() -> None:
    # 3 steps of 4 prompts are 12 of the 8 x 3 = 24 visits of an epoch.
    assert Course(8, 4, 8, 3, seed=0).epochs(3) == 0.5


def test_the_course_of_a_stage() -> None:
    config = resolve_train(stage=1, assignments=["rollout.window=5", "seed=9"])
    assert course_of(config, 12) == Course(
        12, config.rollout.prompts_per_step, 5, config.rollout.visits, 9
    )
    config = resolve_train(stage=0, assignments=["supervised.batch_size=3"])
    assert course_of(config, 12) == Course(12, 3, 12, 1, 0)
