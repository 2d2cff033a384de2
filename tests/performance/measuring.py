"""What the speed claims share: taking turns, medians with their spread, prompts of a wanted length.

Two sides of a claim are timed in one process in turns, each first in every second round, so that
whatever else the machine does meets both. A ratio is taken within a round.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from avatar_core.models.policy import Prompt
from avatar_core.models.prompting import control_tokens
from avatar_core.models.qwen_omni import QwenOmniPolicy
from tests.models.prompts import make_clip

SYSTEM = "Think about the question first, then answer it."
QUESTION = " Which object flashed together with the low tone, and where was it?"


def arguments(description: str | None, **defaults: int) -> argparse.Namespace:
    """Options of a script, of which `defaults` are integers of its own, and one torch thread."""
    parser = argparse.ArgumentParser(description=(description or "").splitlines()[0])
    for name, value in defaults.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=value)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="small sizes: shows that it runs")
    parser.add_argument("--out", type=Path, help="write the JSON document here too")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    return chosen


def in_turns(
    sides: Mapping[str, Callable[[], object]], repeats: int, *, warm_up: int = 1
) -> dict[str, list[float]]:
    """Wall time in seconds of every side in every round; the first rounds are not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(-warm_up, repeats):
        names = list(sides) if number % 2 == 0 else list(sides)[::-1]
        for name in names:
            begun = time.perf_counter()
            sides[name]()
            if number >= 0:
                seconds[name].append(time.perf_counter() - begun)
        sys.stderr.write(".")
        sys.stderr.flush()
    sys.stderr.write("\n")
    return seconds


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, quartiles and extremes."""
    low, median, high = (
        statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
    )
    found = {"median": median, "q1": low, "q3": high, "min": min(values), "max": max(values)}
    return {name: round(value, 4) for name, value in found.items()}


def ratio(seconds: Mapping[str, Sequence[float]], slow: str, fast: str) -> dict[str, Any]:
    """How many times longer one side took than the other, by round."""
    found = [a / b for a, b in zip(seconds[slow], seconds[fast], strict=True)]
    return {**spread(found), "rounds": [round(value, 3) for value in found]}


def report(document: dict[str, Any], out: Path | None) -> None:
    """Write a document with the machine to stdout, and to a file if there is one."""
    machine = {
        "cpus": os.cpu_count(),
        "processor": platform.machine(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "load": [round(value, 2) for value in os.getloadavg()],
    }
    text = json.dumps({**document, "machine": machine}, indent=2) + "\n"
    sys.stdout.write(text)
    if out is not None:
        out.write_text(text, encoding="utf-8")


def prompt_of(policy: QwenOmniPolicy, prefix: int, *, seed: int) -> Prompt:
    """A video with its sound, and as long a question as fills `prefix` tokens or just less.

    From 300 tokens: 4 s, 16 frames of 112 x 112, 8 x 16 tokens and 100 of sound. From 1,200: 32
    frames of 224 x 224, 16 x 64 tokens and 100 of sound. Less: 2 s, 8 frames of 56 x 56.
    """
    frames, side = (8, 56) if prefix < 300 else (16, 112) if prefix < 1200 else (32, 224)
    seconds = 2.0 if prefix < 300 else 4.0
    clip = make_clip("video", seed=seed, seconds=seconds, frames=frames, size=(side, side))
    words = QUESTION.split(" ")
    count = 1
    while True:
        question = " ".join(words[place % len(words)] for place in range(count + 1))
        if len(policy.prepare(Prompt(SYSTEM, (clip, question))).input_ids) > prefix:
            break
        count += 1
    question = " ".join(words[place % len(words)] for place in range(count))
    return Prompt(SYSTEM, (clip, question))


def completions_of(policy: QwenOmniPolicy, count: int, tokens: int, *, seed: int) -> list[Tensor]:
    """Random ordinary tokens: `count` completions of one length."""
    generator = torch.Generator().manual_seed(seed)
    first = len(control_tokens(policy.processor))
    size = int(policy.processor.tokenizer.vocab_size)
    return list(torch.randint(first, size, (count, tokens), generator=generator))
