"""Time and size of the replay buffer at full scale, as one JSON document on stdout.

    python tests/performance/replay_buffer.py [--groups 10000] [--rounds 1000]

A buffer of 10,000 groups with 8 completions of about 300 tokens is filled; then groups are inserted
(each evicts one) and completions drawn, timed together, once for every priority. Memory is what the
buffer adds to the resident set of a process of its own; disk is what a save leaves, whole and after
a hundred more groups.
"""

from __future__ import annotations

import argparse
import gc
import json
import multiprocessing
import os
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from avatar_core.replay import ReplayBuffer, load_buffer, save_buffer
from avatar_core.types import Completion, Group

MEMBERS = 8
TOKENS = 300
DRAWN = 4
CHARACTERS = 4
MARGIN = 100
WORDS = [
    "".join(random.Random(index).choices("aeionrstlcdmpu", k=2 + index % 5))
    for index in range(8_000)
]


def make_group(rng: random.Random, step: int, prompts: int) -> Group:
    """A group as training makes them: Zipf-like words, token ids to match, a few reward levels."""
    completions = []
    for _ in range(MEMBERS):
        tokens = rng.randrange(TOKENS // 2, TOKENS + TOKENS // 2)
        picks = [int(len(WORDS) ** rng.random()) for _ in range(tokens)]
        completions.append(
            Completion(
                token_ids=np.array([pick * 19 for pick in picks], np.int32),
                logprobs=-np.array([rng.random() for _ in picks], np.float32),
                text=" ".join(WORDS[pick - 1] for pick in picks),
                truncated=rng.random() < 0.05,
                reward=rng.choice([-0.5, 0.0, 0.5, 1.0]),
                parts={"format": 1.0, "accuracy": rng.choice([0.0, 1.0])},
            )
        )
    prompt = f"prompt-{rng.randrange(prompts)}"
    return Group(prompt, step, tuple(completions), media_key=f"{prompt:0>64}")


def insert(buffer: ReplayBuffer, group: Group, rng: random.Random) -> None:
    """Insert with what the priority "release" wants to know."""
    advantages = [rng.gauss(0, 1) for _ in range(MEMBERS)]
    buffer.insert(group, advantages=advantages, kl=[rng.random() / 10 for _ in range(MEMBERS)])


def resident_bytes() -> int:
    """Resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def quantiles(seconds: list[float]) -> dict[str, float]:
    """Median, 99th percentile and maximum in milliseconds."""
    cuts = statistics.quantiles(seconds, n=100)
    found = {"p50": cuts[49], "p99": cuts[98], "max": max(seconds)}
    return {name: round(1e3 * value, 3) for name, value in found.items()}


def disk_bytes(directory: Path) -> int:
    """Bytes of the files in a directory."""
    return sum(path.stat().st_size for path in directory.iterdir())


def saving(buffer: ReplayBuffer, rng: random.Random, step: int, prompts: int) -> dict[str, Any]:
    """Save whole, save again after a hundred groups, load; seconds and bytes of each."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as name:
        whole, later = Path(name, "whole"), Path(name, "later")
        begun = time.perf_counter()
        save_buffer(buffer, whole)
        first = time.perf_counter()
        before = {path.name for path in whole.iterdir()}
        for number in range(100):
            insert(buffer, make_group(rng, step + number, prompts), rng)
        filled = time.perf_counter()
        save_buffer(buffer, later, previous=whole)
        second = time.perf_counter()
        loaded = load_buffer(later, capacity=buffer.capacity)
        third = time.perf_counter()
        new = sum(p.stat().st_size for p in later.iterdir() if p.name not in before)
        return {
            "save_whole_seconds": round(first - begun, 3),
            "save_again_seconds": round(second - filled, 3),
            "load_seconds": round(third - second, 3),
            "disk_bytes": disk_bytes(later),
            "written_again_bytes": new,
            "same_size_after_load": len(loaded) == len(buffer),
        }


def measure(priority: str, groups: int, rounds: int) -> dict[str, Any]:
    """Everything about one priority."""
    rng = random.Random(0)
    prompts = groups // CHARACTERS
    first = make_group(rng, 0, prompts)
    insert(ReplayBuffer(priority=priority), first, rng)
    gc.collect()
    empty = resident_bytes()
    buffer = ReplayBuffer(groups * MEMBERS, priority=priority)
    for step in range(groups):
        insert(buffer, make_group(rng, step, prompts), rng)
    gc.collect()
    held = resident_bytes() - empty
    wall, cpu = [], []
    for step in range(groups, groups + rounds):
        group = make_group(rng, step, prompts)
        begun, worked = time.perf_counter(), time.thread_time()
        insert(buffer, group, rng)
        buffer.mark_used(buffer.draw(DRAWN, rng, step=step))
        cpu.append(time.thread_time() - worked)
        wall.append(time.perf_counter() - begun)
    result = {
        "groups": sum(1 for _ in buffer.groups()),
        "completions": len(buffer),
        "memory_bytes": held,
        "insert_and_draw_wall_ms": quantiles(wall),
        "insert_and_draw_cpu_ms": quantiles(cpu),
    }
    if priority == "uniform":
        result["store"] = saving(buffer, rng, groups + rounds, prompts)
    return result


def main() -> None:
    """Measure every priority, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--groups", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=1_000)
    arguments = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    document: dict[str, Any] = {"machine": {"cpus": os.cpu_count()}}
    for priority in ("uniform", "release", "fresh"):
        with context.Pool(1) as pool:
            measured = pool.apply(measure, (priority, arguments.groups, arguments.rounds))
        document[priority] = measured
    json.dump(document, sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
