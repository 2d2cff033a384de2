"""Two processes that train together give what one gives on the same prompts, and fail together."""

from __future__ import annotations

import itertools
import json
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from avatar_core.config.train import TrainConfig
from avatar_core.errors import AvatarError, DiskError
from avatar_core.rewards import REWARDS
from avatar_core.training import preflight
from avatar_core.training.lookahead import Lookahead
from avatar_core.training.run import train
from avatar_core.training.watcher import Watcher
from avatar_core.types import Sample
from tests.media.clips import write_clip
from tests.training.runs import (
    SETTINGS,
    STEPS,
    read_rows,
    replay_state,
    small,
    spread,
    tensors,
    timeless,
)
from tests.training.test_data import row
from tests.training.test_parallel import free_port, launched

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


def fail_on_rank_1(rank: int, port: str, config: TrainConfig, folder: Path) -> None:
    """Train as one of two processes; the disk of rank 1 is full when it begins its second step."""
    launched(rank, port)
    torch.set_num_threads(1)
    REWARDS["spread"] = spread
    checked: list[str] = []
    said: list[str] = []
    check, take = preflight.check_clips, Lookahead.take
    steps = itertools.count(1)

    def counted(samples: Sequence[Sample], *more: Any) -> None:
        checked.extend(sample.id for sample in samples)
        check(samples, *more)

    def failing(self: Lookahead, samples: Sequence[Sample]) -> list[Any]:
        if rank == 1 and next(steps) == 2:
            (folder / "failed").touch()
            raise DiskError("no space left on device")
        return take(self, samples)

    preflight.check_clips, Lookahead.take = counted, failing  # type: ignore[assignment, method-assign]
    try:
        train(config, watcher=Watcher(say=said.append, step=lambda row, total: None))
    except AvatarError as error:
        seconds = time.time() - (folder / "failed").stat().st_mtime
        found = {"checked": checked, "said": said, "error": str(error), "seconds": seconds}
        (folder / f"{rank}.json").write_text(json.dumps(found))
        sys.exit(error.exit_code)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_full_disk_of_one_process_ends_both(base: Path, tmp_path: Path) -> None:
    write_clip(tmp_path / "0.mp4")
    rows = [row(name, "0.mp4") for name in "abc"] + [row("d", "0.mp4", stage=2)]
    data = tmp_path / "train.jsonl"
    data.write_text("".join(json.dumps(each) + "\n" for each in rows))
    config = small(tmp_path / "run", base, f"data={data}", "rollout.pool=3", "held_out.samples=0")
    context = multiprocessing.get_context("spawn")
    port = free_port()
    processes = [
        context.Process(target=fail_on_rank_1, args=(rank, port, config, tmp_path))
        for rank in range(2)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(300)
        assert process.exitcode == 5
    first, second = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in range(2))
    assert first["error"] == second["error"] == "no space left on device"
    assert max(first["seconds"], second["seconds"]) < 60
    # One of them opens the clips and speaks.
    assert (first["checked"], second["checked"]) == (["a", "b", "c"], [])
    note = f"left out, as of another stage than 1: 1 row of {data}"
    assert first["said"].count(note) == 1 and second["said"] == []
    assert [each["step"] for each in read_rows(tmp_path / "run" / "metrics.jsonl")] == [1]
