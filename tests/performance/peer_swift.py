"""Whole training steps of ms-swift beside those of this project: same model, clips and lengths.

    python -m tests.performance.peer_swift --swift-python VENV/bin/python --data DIR
        [--case short|long] [--repeats N] [--steps N] [--beta 0.04] [--replay]

A step is one group: decode a clip, generate 8 completions, reward them, take an AdamW step on all
weights in fp32. Both sides run in turns, each begun anew: this project's loop in this process,
`swift rlhf` of the named environment as a process of its own. Neither ends a completion early.
`short` has clips of 2 s at 56 x 56 and 64 new tokens, `long` 30 s at 224 x 224, 16 frames of them,
and 300. Clips and checkpoint are made in DIR on the first call.

What is compared is checked in every run: all completions have the same length and are trained on;
the prompts of the other side are those of this one, token by token; and the log-probabilities that
the other side gives its first completions are those that this one gives them, which they are only
if weights, frames and sound are the same.

An environment for the other side: Python 3.11, ms-swift 4.6.0, torch and torchvision as here,
qwen-omni-utils 0.0.9, decord, av, librosa, soundfile, audioread, msgspec. `--replay` adds turns of
preset `paper`, which generates 4 completions a step and trains on those and 4 earlier ones. That is
other work; its rate counts each kind by itself.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

from avatar_core.asking import Asked, Asker, look_at
from avatar_core.data.samples import read_samples
from avatar_core.media import MediaLoader
from avatar_core.models.loading import load_policy
from avatar_core.models.policy import Prepared
from avatar_core.models.qwen_omni import QwenOmniPolicy
from tests.performance.measuring import ratio, report, spread
from tests.performance.peer_data import CASES, MODEL, ROWS, make_data
from tests.performance.peer_swift_command import swift_turn
from tests.performance.peer_turns import GROUP, Task, Turn, our_config, our_turn

OURS, THEIRS, REPLAYED = "avatar", "ms_swift", "avatar_with_replay"
LOGPROB_TOLERANCE = 1e-3
"""Largest difference of a log-probability, fp32, between two implementations of one model."""

Turns = dict[str, list[Turn]]


def options(given: Sequence[str] | None = None) -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--swift-python", type=Path, required=True, help="of its environment")
    parser.add_argument("--data", type=Path, required=True, help="where clips and checkpoint are")
    parser.add_argument("--case", choices=sorted(CASES), default="short")
    parser.add_argument("--repeats", type=int, help="turns of either side; default: by case")
    parser.add_argument("--steps", type=int, help="timed steps of a turn; default: by case")
    parser.add_argument("--beta", type=float, default=0.0, help="weight of the KL term")
    parser.add_argument("--replay", action="store_true", help="add turns of preset paper")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="write the JSON document here too")
    return parser.parse_args(given)


def task_of(chosen: argparse.Namespace) -> Task:
    """What the command line asks for, with its data in place."""
    case = CASES[chosen.case]
    case = case._replace(steps=chosen.steps or case.steps, repeats=chosen.repeats or case.repeats)
    data = make_data(chosen.data / chosen.case, case)
    return Task(data, case, chosen.beta, chosen.seed)


def take_turns(sides: Mapping[str, Callable[[Path], Turn]], repeats: int) -> Turns:
    """Let all sides run `repeats` times, in turns, each time in a folder of its own."""
    turns: Turns = {name: [] for name in sides}
    for number in range(repeats):
        for name in list(sides) if number % 2 == 0 else list(sides)[::-1]:
            with tempfile.TemporaryDirectory() as folder:
                turn = sides[name](Path(folder, "out"))
            turns[name].append(turn)
            rate = len(turn.generated) / turn.seconds
            sys.stderr.write(f"round {number + 1} {name}: {rate:.2f} completions per second\n")
    return turns


def check_work(turns: Turns, task: Task) -> None:
    """Assert that every turn of both sides generated and trained on what it was to."""
    for name in (OURS, THEIRS):
        for turn in turns[name]:
            assert turn.generated == [task.case.new_tokens] * (GROUP * task.case.steps), name
            assert turn.trained == GROUP * task.case.steps, name


def check_model(turns: Sequence[Turn], task: Task) -> dict[str, Any]:
    """Assert that prompts and first log-probabilities of the other side are this one's."""
    policy = load_policy(str(task.data / MODEL), tuning="full")
    config = our_config(task, "grpo", Path("unused"))
    with MediaLoader(config.media) as loader:
        asker = Asker(policy, loader, system_prompt=config.rollout.system_prompt)
        looked = look_at(asker, read_samples(task.data / ROWS))
    prepared = {one.sample.id: one.prepared for one in looked if isinstance(one, Asked)}
    for turn in turns:
        for name, prompt in turn.prompts.items():
            assert prepared[name].input_ids.tolist() == prompt, name
    gap = max(logprob_gap(policy, prepared[row["id"]], row) for turn in turns for row in turn.first)
    assert gap <= LOGPROB_TOLERANCE, gap
    lengths = sorted({len(prompt) for turn in turns for prompt in turn.prompts.values()})
    return {"prompt_tokens": lengths, "logprob_difference": gap}


@torch.no_grad()
def logprob_gap(policy: QwenOmniPolicy, prepared: Prepared, row: Mapping[str, Any]) -> float:
    """Largest difference of this project's log-probabilities from those of a completion's row."""
    found = policy.logprobs(policy.encode([prepared]), [[torch.tensor(row["tokens"])]])
    return float((found.logprobs[0] - torch.tensor(row["logprobs"])).abs().max())


def rates(turns: Turns, steps: int) -> dict[str, Any]:
    """Completions per second and seconds per step of every side."""
    return {
        name: {
            "completions_per_second": spread([len(t.generated) / t.seconds for t in taken]),
            "seconds_per_step": spread([t.seconds / steps for t in taken]),
            "generated_per_step": len(taken[0].generated) / steps,
            "trained_per_step": taken[0].trained / steps,
            "trained_per_second": spread([t.trained / t.seconds for t in taken]),
            "phases": {
                phase: round(statistics.median(t.phases[phase] for t in taken), 4)
                for phase in taken[0].phases
            },
        }
        for name, taken in turns.items()
    }


def main() -> None:
    """Let both sides take their turns, check them and write what came of it."""
    chosen = options()
    torch.set_num_threads(1)
    task = task_of(chosen)
    sides: dict[str, Callable[[Path], Turn]] = {
        OURS: partial(our_turn, task, "grpo"),
        THEIRS: partial(swift_turn, task, chosen.swift_python),
    }
    if chosen.replay:
        sides[REPLAYED] = partial(our_turn, task, "paper")
    turns = take_turns(sides, task.case.repeats)
    check_work(turns, task)
    compared = check_model(turns[THEIRS], task)
    # Both made as many completions, so that times tell.
    seconds = {name: [turn.seconds for turn in taken] for name, taken in turns.items()}
    document = {
        "claim": "whole RL step against ms-swift, completions per second",
        "case": chosen.case,
        "beta": task.beta,
        "seed": task.seed,
        "group": GROUP,
        "new_tokens": task.case.new_tokens,
        "steps_timed": task.case.steps,
        "compared": compared,
        "ratio": ratio(seconds, THEIRS, OURS),
        "sides": rates(turns, task.case.steps),
        "their_versions": turns[THEIRS][0].versions,
    }
    report(document, chosen.out)


if __name__ == "__main__":
    main()
