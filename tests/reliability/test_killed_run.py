"""A run that is killed at ten random steps ends where the uninterrupted one ends."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest
import torch

from avatar_core.models.loading import load_policy
from avatar_core.rewards import REWARDS
from avatar_core.training.run import train
from tests.training.runs import (
    read_rows,
    replay_state,
    same_tensors,
    small,
    spread,
    tensors,
    timeless,
)

STEPS = 20
KILLS = 10


def start(out: Path, base: Path) -> int:
    """Train in a child process, without the seconds that imports take; gives its number."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            train(small(out, base, f"steps={STEPS}", "checkpoint.every=2"))
            code = 0
        finally:
            os._exit(code)
    return child


def finish(child: int) -> None:
    assert os.waitpid(child, 0)[1] == 0


def kill_at(child: int, metrics: Path, step: int) -> None:
    """Kill a run as soon as it has recorded a step."""
    deadline = time.monotonic() + 200
    while not metrics.exists() or metrics.read_bytes().count(b"\n") < step:
        assert os.waitpid(child, os.WNOHANG) == (0, 0) and time.monotonic() < deadline
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_a_run_killed_at_ten_random_steps_ends_like_the_uninterrupted_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = tmp_path / "base"
    load_policy("tiny").save(base)
    monkeypatch.setitem(REWARDS, "spread", spread)
    torch.set_num_threads(1)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    finish(start(whole, base))
    for step in sorted(random.Random(0).sample(range(2, STEPS), KILLS)):
        kill_at(start(killed, base), killed / "metrics.jsonl", step)
    finish(start(killed, base))
    for name in ("model.safetensors", "trainer/optimiser.safetensors"):
        assert same_tensors(tensors(whole, STEPS, name), tensors(killed, STEPS, name))
    assert replay_state(whole, STEPS) == replay_state(killed, STEPS)
    assert timeless(whole) == timeless(killed)
    assert read_rows(whole / "groups.jsonl") == read_rows(killed / "groups.jsonl")
    assert len(timeless(killed)) == STEPS
