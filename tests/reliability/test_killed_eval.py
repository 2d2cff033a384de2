"""An evaluation that is killed at ten random instants ends where the uninterrupted one ends."""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import pytest
import torch

from avatar_cli.__main__ import main
from tests.benchmarks.kit.every import kit
from tests.tiny_run import tiny_run

SCENES = 40
KILLS = 10
SEED = 0
# Scenes come last and are many, so that the last kill comes well before the end.
NAMES = ("mmvu", "omnibench", "scenes")
REST = 13


def arguments(out: Path, data: Path, model: Path) -> list[str]:
    """The command line; batches of two, so that many instants lie between two of them."""
    options = ["--data-root", data, "--model", model, "--out", out, "--limit", SCENES]
    return ["eval", *NAMES, *map(str, options), "--batch-size", "2", "--allow-missing", "--quiet"]


def start(given: list[str]) -> int:
    """Run the command in a child process, without the seconds that imports take; its number."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = main(given)
        finally:
            os._exit(code)
    return child


def answered(out: Path) -> int:
    """Items that have a whole row."""
    found = 0
    for name in NAMES:
        path = out / name / "results.jsonl"
        lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
        found += len({json.loads(line)["id"] for line in lines if line.endswith(b"\n")})
    return found


def kill_after(child: int, out: Path, items: int, delay: float) -> int:
    """Kill an evaluation some seconds after it has so many rows; gives how many it had then."""
    deadline = time.monotonic() + 100
    while answered(out) < items:
        assert os.waitpid(child, os.WNOHANG) == (0, 0) and time.monotonic() < deadline
        time.sleep(0.003)
    time.sleep(delay)
    os.kill(child, signal.SIGKILL)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    return answered(out)


def timeless(directory: Path) -> list[str]:
    """Rows as they lie in the file, without the time that they took."""
    lines = (directory / "results.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.dumps({**json.loads(line), "seconds": None, "phases": None}) for line in lines]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_an_evaluation_killed_at_ten_random_instants_ends_like_the_uninterrupted_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AVATAR_CACHE", str(tmp_path / "cache"))
    torch.set_num_threads(1)
    model, data = tiny_run(tmp_path / "run"), tmp_path / "data"
    kit("mmvu").write(data / "mmvu", "hub")
    kit("omnibench").write(data / "omnibench", "authors")
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert os.waitpid(start(arguments(whole, data, model)), 0)[1] == 0
    total = answered(whole)
    assert total > SCENES + 10
    rng, reached = random.Random(SEED), 0
    part = (total - REST) // KILLS
    for number in range(KILLS):
        # At least one new row each time, and a random while after it.
        items = max(reached + 1, number * part + rng.randint(1, part))
        child = start(arguments(killed, data, model))
        reached = kill_after(child, killed, items, delay=rng.random() / 20)
        sys.stderr.write(f"seed {SEED}, kill {number}: asked for at {items}, at {reached} rows\n")
    assert os.waitpid(start(arguments(killed, data, model)), 0)[1] == 0
    for name in NAMES:
        ids = [json.loads(row)["id"] for row in timeless(killed / name)]
        assert len(ids) == len(set(ids))
        assert timeless(killed / name) == timeless(whole / name)
        summaries = [(out / name / "summary.json").read_bytes() for out in (killed, whole)]
        assert summaries[0] == summaries[1]
    assert answered(killed) == total
