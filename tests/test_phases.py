from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_core.phases import Stopwatch, own_seconds, phase


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def work(self, seconds: float) -> None:
        self.now += seconds


def test_parts_are_kept_under_the_phases_around_them() -> None:
    clock = Clock()
    watch = Stopwatch(clock)

    @phase("logprobs")
    def logprobs() -> None:
        clock.work(3.0)

    for _ in range(2):
        with watch.phase("train"):
            clock.work(1.0)
            logprobs()
            with phase("reference"):
                clock.work(0.5)
                logprobs()
            with phase("backward"):
                clock.work(4.0)
    # One turn is 1 + 3 + (½ + 3) + 4.
    assert watch.seconds == {
        "train": 23.0,
        "train/logprobs": 6.0,
        "train/reference": 7.0,
        "train/reference/logprobs": 6.0,
        "train/backward": 8.0,
    }
    assert own_seconds(watch.seconds, "train") == 2.0
    assert own_seconds(watch.seconds, "train/reference") == 1.0
    assert own_seconds(watch.seconds, "train/backward") == 8.0
    assert own_seconds(watch.seconds, "train/optimiser") is None


def test_nothing_is_timed_where_no_stopwatch_runs() -> None:
    clock = Clock()
    watch = Stopwatch(clock)
    with phase("decode"):
        clock.work(1.0)
    with watch.phase("generate"):
        pass
    with phase("decode"):
        clock.work(1.0)
    assert watch.seconds == {"generate": 0.0}


def test_a_phase_that_fails_is_closed() -> None:
    clock = Clock()
    watch = Stopwatch(clock)
    with pytest.raises(RuntimeError, match="stop"), watch.phase("train"), phase("backward"):
        clock.work(2.0)
        raise RuntimeError("stop")
    with watch.phase("media"):
        clock.work(1.0)
    assert watch.seconds == {"train/backward": 2.0, "train": 2.0, "media": 1.0}


def test_stopwatches_do_not_mix() -> None:
    clock = Clock()
    outer, inner = Stopwatch(clock), Stopwatch(clock)
    with outer.phase("held_out"):
        with inner.phase("answer"), phase("decode"):
            clock.work(1.0)
        with phase("score"):
            clock.work(2.0)
    assert inner.seconds == {"answer/decode": 1.0, "answer": 1.0}
    assert outer.seconds == {"held_out/score": 2.0, "held_out": 3.0}


def test_a_generator_that_closes_its_phases_before_it_yields_times_itself_alone() -> None:
    clock = Clock()
    watch = Stopwatch(clock)

    def tokens() -> Iterator[int]:
        for number in range(5):
            with phase("decode"):
                clock.work(1.0)
            yield number

    # The first consumer leaves half-way, in a phase that ends before the generator does.
    with watch.phase("generate"):
        stream = tokens()
        assert [next(stream), next(stream)] == [0, 1]
        clock.work(10.0)
    assert watch.seconds == {"generate/decode": 2.0, "generate": 12.0}
    # What is left is drawn without a stopwatch, then within another phase.
    assert next(stream) == 2
    with watch.phase("train"):
        assert list(stream) == [3, 4]
    assert watch.seconds == {
        "generate/decode": 2.0,
        "generate": 12.0,
        "train/decode": 2.0,
        "train": 2.0,
    }


def test_work_of_other_threads_is_not_counted() -> None:
    clock = Clock()
    watch = Stopwatch(clock)

    def prepare() -> None:
        with phase("prepare"):
            clock.work(5.0)

    with watch.phase("media"):
        thread = threading.Thread(target=prepare)
        thread.start()
        thread.join()
    assert watch.seconds == {"media": 5.0}


TREES = st.recursive(
    st.just(()), lambda parts: st.lists(st.tuples(st.sampled_from("abc"), parts), max_size=3)
)


@given(TREES, st.lists(st.floats(0.0, 1e3), min_size=1, max_size=5))
def test_parts_never_add_up_to_more_than_the_whole(tree: Any, lengths: list[float]) -> None:
    clock = Clock()
    watch = Stopwatch(clock)
    opened = 0

    def walk(parts: Any, opening: Callable[[str], AbstractContextManager[None]]) -> None:
        nonlocal opened
        for name, inner in parts:
            with opening(name):
                clock.work(lengths[opened % len(lengths)])
                opened += 1
                walk(inner, phase)

    walk(tree, watch.phase)
    assert (opened == 0) == (watch.seconds == {})
    for path, whole in watch.seconds.items():
        parts = [s for name, s in watch.seconds.items() if name.rpartition("/")[0] == path]
        # Rounding of a clock that stands at thousands of seconds.
        assert sum(parts) <= whole + 1e-9
        own = own_seconds(watch.seconds, path)
        assert own is not None and own >= 0.0
        assert own == pytest.approx(whole - sum(parts), abs=1e-9)
