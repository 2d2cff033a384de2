"""The buffer against a plain model of it, over random sequences of everything that can be done."""

from __future__ import annotations

import math
import random
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from avatar_core.replay import ReplayBuffer, load_buffer, save_buffer, segments
from avatar_core.seeds import seed_from
from tests.replay.conftest import group, insert_with_values, names

PROMPTS = "pqrstu"
WINDOW = 5
SHARES = {"easy": 0.25, "medium": 0.35, "hard": 0.40}
REWARDS = st.one_of(st.none(), st.sampled_from([0.0, 0.5, 1.0]), st.floats(-2, 2, width=32))


@dataclass
class Entry:
    number: int
    prompt_id: str
    rewards: list[float | None]
    step: int
    reuse: int = 0

    @property
    def size(self) -> int:
        return sum(reward is not None for reward in self.rewards)


class Model:
    """What the buffer must hold, by the rules and without any cleverness."""

    def __init__(self, capacity: int, max_age: int | None, max_reuse: int | None) -> None:
        self.capacity, self.max_age, self.max_reuse = capacity, max_age, max_reuse
        self.windows: dict[str, list[float]] = {}
        self.entries: list[Entry] = []
        self.inserted = self.step = 0

    def insert(self, prompt_id: str, rewards: list[float | None], step: int, hinted: bool) -> None:
        scored = [reward for reward in rewards if reward is not None]
        if not hinted and scored:
            self.windows[prompt_id] = [*self.windows.get(prompt_id, []), *scored][-WINDOW:]
        self.step = max(self.step, step)
        if scored:
            self.entries.append(Entry(self.inserted, prompt_id, rewards, step))
        self.inserted += 1
        while sum(entry.size for entry in self.entries) > self.capacity:
            self.entries.remove(self.next_out())

    def mean(self, prompt_id: str) -> float:
        window = self.windows[prompt_id]
        return math.fsum(window) / len(window)

    def tier(self, prompt_id: str) -> str:
        if prompt_id not in self.windows:
            return "hard"
        order = sorted(self.windows, key=lambda key: (self.mean(key), seed_from(key)))
        quantile = (order.index(prompt_id) + 0.5) / len(order)
        return "hard" if quantile < 0.40 else "medium" if quantile < 0.75 else "easy"

    def spent(self, entry: Entry, step: int) -> bool:
        old = self.max_age is not None and step - entry.step > self.max_age
        return old or (self.max_reuse is not None and entry.reuse >= self.max_reuse)

    def next_out(self) -> Entry:
        for entry in self.entries:
            if self.spent(entry, self.step):
                return entry
        sizes: Counter[str] = Counter()
        for entry in self.entries:
            sizes[self.tier(entry.prompt_id)] += entry.size
        total = sum(sizes.values())
        excess = {tier: round(sizes[tier] - SHARES[tier] * total, 9) for tier in sizes}
        fullest = [tier for tier in excess if excess[tier] == max(excess.values())]
        return next(e for e in self.entries if self.tier(e.prompt_id) in fullest)


class Machine(RuleBasedStateMachine):
    @initialize(
        capacity=st.integers(1, 24),
        priority=st.sampled_from(["uniform", "release", "fresh"]),
        members=st.integers(1, 3),
        max_age=st.one_of(st.none(), st.integers(0, 8)),
        max_reuse=st.one_of(st.none(), st.integers(1, 3)),
        temperature=st.sampled_from([1.0, 1e-3]),
    )
    def begin(self, capacity, priority, members, max_age, max_reuse, temperature) -> None:
        self.config = {
            "capacity": capacity,
            "window": WINDOW,
            "min_fill": 1,
            "priority": priority,
            "members_per_group": members,
            "max_age": max_age,
            "max_reuse": max_reuse,
            "temperature": temperature,
        }
        self.buffer = ReplayBuffer(**self.config)
        self.model = Model(capacity, max_age, max_reuse)
        self.directory = Path(tempfile.mkdtemp())
        self.saves = 0

    def teardown(self) -> None:
        if hasattr(self, "directory"):
            shutil.rmtree(self.directory)

    @rule(
        prompt_id=st.sampled_from(PROMPTS),
        rewards=st.lists(REWARDS, min_size=1, max_size=5),
        hinted=st.booleans(),
        later=st.integers(0, 2),
    )
    def insert(self, prompt_id, rewards, hinted, later) -> None:
        step = self.model.step + later
        self.model.insert(prompt_id, rewards, step, hinted)
        insert_with_values(self.buffer, group(prompt_id, rewards, step=step, hinted=hinted))

    @rule(
        n=st.integers(0, 9), seed=st.integers(0, 9), later=st.integers(0, 3), trained=st.booleans()
    )
    def draw(self, n, seed, later, trained) -> None:
        step = self.model.step + later
        entries = {e.number: e for e in self.model.entries if not self.model.spent(e, step)}
        before = self.buffer.state_dict()
        drawn = self.buffer.draw(n, random.Random(seed), step=step)
        assert names(drawn) == names(self.buffer.draw(n, random.Random(seed), step=step))
        assert self.buffer.state_dict() == before
        open_to_draw = sum(entry.size for entry in entries.values())
        assert len(self.buffer.draw(99, random.Random(seed), step=step)) == open_to_draw
        assert len(drawn) == min(n, open_to_draw)
        assert len({(d.number, d.member) for d in drawn}) == len(drawn)
        for d in drawn:
            entry = entries[d.number]
            assert entry.rewards[d.member] is not None
            assert (d.group.prompt_id, d.group.step) == (entry.prompt_id, entry.step)
            assert (d.tier, d.reuse) == (self.model.tier(entry.prompt_id), entry.reuse)
            assert 0 < d.weight <= max(n, 1)
        if drawn:
            assert sum(d.weight for d in drawn) == pytest.approx(len(drawn))
        if trained:
            self.buffer.mark_used(drawn)
            for number in {d.number for d in drawn}:
                entries[number].reuse += 1

    @precondition(lambda self: hasattr(self, "buffer"))
    @rule()
    def restart(self) -> None:
        self.saves += 1
        path, previous = (self.directory / str(n) for n in (self.saves, self.saves - 1))
        save_buffer(self.buffer, path, previous=previous)
        loaded = load_buffer(path, **self.config)
        assert loaded.state_dict() == self.buffer.state_dict()
        self.buffer = loaded

    @invariant()
    def agree(self) -> None:
        if not hasattr(self, "buffer"):
            return
        held = [(s.number, s.group.prompt_id, s.reuse) for s in self.buffer.groups()]
        assert held == [(e.number, e.prompt_id, e.reuse) for e in self.model.entries]
        assert len(self.buffer) == sum(e.size for e in self.model.entries) <= self.buffer.capacity
        for prompt_id in PROMPTS:
            assert self.buffer.tier_of(prompt_id) == self.model.tier(prompt_id)
            assert self.buffer.baseline_count(prompt_id) == len(
                self.model.windows.get(prompt_id, ())
            )
        sizes: Counter[str] = Counter()
        for entry in self.model.entries:
            sizes[self.model.tier(entry.prompt_id)] += entry.size
        assert self.buffer.tier_sizes() == {tier: sizes[tier] for tier in SHARES}


def test_the_buffer_does_what_the_model_does(monkeypatch):
    monkeypatch.setattr(segments, "SHARED_BYTES", 1)
    monkeypatch.setattr(segments, "SEGMENT_BYTES", 1_000)
    # A flush to the device takes most of the time here and has its own tests.
    monkeypatch.setattr("os.fsync", lambda _: None)
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=40,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
