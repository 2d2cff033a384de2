"""Run as a program: estimates the memory of a run, takes the run, and prints both as JSON.

In a process of its own, since the highest memory of a process never goes down.

    python -m tests.training.memory_run CHECKPOINT OUT [--lora] [SETTING=VALUE ...]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from avatar_core.rewards import REWARDS
from avatar_core.training.memory_inputs import estimate_runs, process_memory
from avatar_core.training.run import train
from tests.training.runs import small, spread


def main(checkpoint: str, out: str, *settings: str) -> None:
    REWARDS["spread"] = spread
    tuning = "lora" if "--lora" in settings else "full"
    given = [setting for setting in settings if setting != "--lora"]
    config = small(Path(out), Path(checkpoint), *given, flags={"tuning": tuning})
    (estimate,) = estimate_runs([config], [None])
    assert estimate is not None
    train(config)
    row = {"estimate": estimate.to_row(), "peak_bytes": process_memory().highest}
    sys.stdout.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
