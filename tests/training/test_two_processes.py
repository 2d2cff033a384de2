"""Two processes that train together give what one gives on the same prompts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.training.runs import SETTINGS, STEPS, read_rows, replay_state, tensors, timeless

REWARD = """
import hashlib
from avatar_core.rewards import register

@register("spread")
def spread(texts, sample):
    return [hashlib.blake2b(text.encode()).digest()[0] % 3 / 2 for text in texts]
"""
LAUNCHER = ("accelerate.commands.launch", "--cpu", "--num_processes", "2", "--num_machines", "1")
TOLERANCE = 1e-5


def run(out: Path, base: Path, reward: Path, *, processes: int, steps: int = STEPS) -> None:
    """`avatar train` from the command line, in one process or under the launcher."""
    # Three prompts a step do not divide by two, and each is visited again.
    settings = [*SETTINGS, "rollout.prompts_per_step=3", f"steps={steps}", f"init={base}"]
    command = ["avatar_cli", "train", "--stage", "1", "--out", str(out), "--quiet"]
    command += ["--reward-file", str(reward)]
    for setting in settings:
        command += ["--set", setting]
    launcher = [*LAUNCHER, "--mixed_precision", "no", "--dynamo_backend", "no", "-m"]
    start = [*launcher, *command] if processes == 2 else command
    done = subprocess.run(
        [sys.executable, "-m", *start],
        capture_output=True,
        text=True,
        timeout=400,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_processes_give_the_run_of_one(base: Path, tmp_path: Path) -> None:
    reward = tmp_path / "spread.py"
    reward.write_text(REWARD)
    one, two = tmp_path / "one", tmp_path / "two"
    run(one, base, reward, processes=1)
    run(two, base, reward, processes=2, steps=4)
    run(two, base, reward, processes=2)
    # Rewards of every group, the same completions in the same order.
    groups = [
        [without_floats(row) for row in read_rows(out / "groups.jsonl")] for out in (one, two)
    ]
    assert len(groups[0]) > 3 * STEPS
    assert groups[0] == groups[1]
    for mine, theirs in zip(timeless(one), timeless(two), strict=True):
        assert mine.keys() == theirs.keys()
        for name, value in mine.items():
            expected = pytest.approx(value, abs=TOLERANCE) if isinstance(value, float) else value
            assert theirs[name] == expected, name
    mine, theirs = (replay_state(out, STEPS) for out in (one, two))
    assert {k: v for k, v in mine.items() if k != "records"} == {
        k: v for k, v in theirs.items() if k != "records"
    }
    weights = [tensors(out, STEPS, "model.safetensors") for out in (one, two)]
    for name, tensor in weights[0].items():
        assert (tensor - weights[1][name]).abs().max() <= TOLERANCE, name


def without_floats(row: dict[str, Any]) -> dict[str, Any]:
    """A row of a group without its advantages, which follow from the rewards."""
    completions = [
        {key: value for key, value in one.items() if key != "advantage"}
        for one in row["completions"]
    ]
    return {**row, "completions": completions}
