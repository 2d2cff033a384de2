"""One turn of this project's side of `peer_swift`, and what a turn of either side is.

A turn is some optimiser steps, begun anew, of which the first are not counted. A step lasts from
the end of the one before it to its own, whatever lies between.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

from avatar_core.asking import Asker
from avatar_core.config.resolve import resolve_train
from avatar_core.config.train import TrainConfig
from avatar_core.data.samples import read_samples
from avatar_core.media import MediaLoader
from avatar_core.models.loading import load_policy
from avatar_core.records import MetricsRow
from avatar_core.rewards.registry import register
from avatar_core.training.advance import advance
from avatar_core.training.data import Data
from avatar_core.training.lookahead import Lookahead
from avatar_core.training.parallel import ALONE
from avatar_core.training.run import new_trainee
from avatar_core.training.watcher import Watcher
from avatar_core.types import Sample
from tests.performance.authors_scheme import without_ends
from tests.performance.peer_data import MODEL, ROWS, SYSTEM, Case
from tests.performance.peer_swift_plugin import NAME, letter_share
from tests.training.runs import read_rows

GROUP = 8
LEARNING_RATE = 1e-4
FPS, MIN_FRAMES, MAX_FRAMES = 4, 4, 16


class Task(NamedTuple):
    """What both sides do.

    Attributes:
        data: directory with checkpoint, clips and rows.
        case: sizes.
        beta: weight of the divergence from the reference.
        seed: of the runs.
    """

    data: Path
    case: Case
    beta: float
    seed: int

    @property
    def steps(self) -> int:
        """Steps of a turn, counted or not."""
        return self.case.warm_up + self.case.steps


class Turn(NamedTuple):
    """What the counted steps of a turn did, and what is known of them besides.

    Attributes:
        seconds: of all of them together.
        generated: length in tokens of each completion generated.
        trained: number of completions trained on.
        phases: mean seconds of a step by phase.
        prompts: token ids of the prompts by sample.
        first: completions of the untouched weights, with tokens and log-probabilities.
        versions: packages in use.
    """

    seconds: float
    generated: Sequence[int]
    trained: int
    phases: Mapping[str, float] = {}
    prompts: Mapping[str, Sequence[int]] = {}
    first: Sequence[Mapping[str, Any]] = ()
    versions: Mapping[str, str] = {}


@register(NAME)
def letter_shares(texts: Sequence[str], sample: Sample) -> list[float | None]:
    """The reward that the other side gives too."""
    del sample
    return [letter_share(text) for text in texts]


def our_config(task: Task, preset: str, out: Path) -> TrainConfig:
    """A run of this project with the settings of `swift_command`.

    It takes a step more than is looked at: the last step of a run has no next clip to decode.
    """
    pixels = task.case.side**2
    settings = {
        "model": task.data / MODEL,
        "data": task.data / ROWS,
        "out": out,
        "seed": task.seed,
        "steps": task.steps + 1,
        "tuning": "full",
        "threads": 1,
        "media.fps": float(FPS),
        "media.min_frames": MIN_FRAMES,
        "media.max_frames": MAX_FRAMES,
        "media.min_pixels": pixels,
        "media.max_pixels": pixels,
        "sampling.max_new_tokens": task.case.new_tokens,
        "sampling.top_k": 0,
        "rollout.group_size": GROUP,
        "rollout.visits": 1,
        "rollout.system_prompt": SYSTEM,
        "reward.weights": f"{{ {NAME} = 1.0 }}",
        # Replay, where a preset has it, begins with the second step.
        "replay.min_fill": GROUP,
        "loss.beta": task.beta,
        "optim.lr": LEARNING_RATE,
        "optim.warmup": 0.0,
        "optim.schedule": "constant",
        "held_out.samples": 0,
    }
    assignments = [f"{key}={value}" for key, value in settings.items()]
    return resolve_train(stage=1, preset=preset, assignments=assignments)


def our_turn(task: Task, preset: str, out: Path) -> Turn:
    """Train by the loop of this project, as `avatar train` does once everything is loaded."""
    config = our_config(task, preset, out)
    out.mkdir(parents=True)
    samples = {sample.id: sample for sample in read_samples(task.data / ROWS)}
    policy = load_policy(config.model, tuning=config.tuning)
    without_ends(policy)
    ended: list[float] = []

    def step(row: MetricsRow, total: int) -> None:
        del row, total
        ended.append(time.perf_counter())

    with MediaLoader(config.media) as loader:
        asker = Asker(policy, loader, system_prompt=config.rollout.system_prompt)
        with Lookahead(asker) as lookahead:
            data = Data(samples, [], {}, {})
            trainee = new_trainee(policy, lookahead, data, config, None, ALONE)
            advance(out, config, trainee, 0, Watcher(lambda _: None, step))
    first, last = task.case.warm_up, task.steps
    groups = read_rows(out / "groups.jsonl")
    counted = [row for row in groups if first < row["step"] <= last]
    metrics = read_rows(out / "metrics.jsonl")[:last]
    return Turn(
        seconds=ended[last - 1] - ended[first - 1],
        generated=[
            completion["tokens"]
            for row in counted
            if row["source"] == "fresh"
            for completion in row["completions"]
        ],
        trained=metrics[-1]["completions_trained"] - metrics[first - 1]["completions_trained"],
        phases=mean_phases(metrics[first:]),
    )


def mean_phases(metrics: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Mean seconds of every phase of some metrics rows; a phase that did not occur took none."""
    names = [name for name in metrics[0] if name.startswith("seconds_")]
    means = {name: fmean(row[name] or 0.0 for row in metrics) for name in names}
    return {name.removeprefix("seconds_"): round(mean, 4) for name, mean in means.items()}
