"""Phases of real steps of the tiny model: all are timed, and parts lie within their whole."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from avatar_core.config.train import OptimConfig
from avatar_core.files import read_jsonl
from avatar_core.models.policy import Sampling
from avatar_core.models.qwen_omni import QwenOmniPolicy
from avatar_core.phases import Stopwatch
from avatar_core.records import GroupRow, MetricsRow, read_record
from avatar_core.reporting.timing import PHASES
from avatar_core.training.optimiser import make_optimiser
from avatar_core.training.rollout import Visit
from avatar_core.training.run import train
from avatar_core.training.sft import losses_of
from avatar_core.training.step import take_step
from tests.training.runs import small

STEPS = 2
SETTINGS = (
    f"steps={STEPS}",
    "held_out.samples=0",
    # The first step's 2 x 4 completions fill it, so that the second step replays.
    "replay.min_fill=8",
    "checkpoint.every=2",
)


def test_every_phase_of_two_steps_is_timed(base: Path, tmp_path: Path) -> None:
    run = train(small(tmp_path / "run", base, *SETTINGS)).directory
    rows = [
        read_record(MetricsRow, row, f"metrics:{n}") for n, row in read_jsonl(run / "metrics.jsonl")
    ]
    groups = [
        read_record(GroupRow, row, f"groups:{n}") for n, row in read_jsonl(run / "groups.jsonl")
    ]
    assert len(rows) == STEPS
    timed = 0
    for row in rows:
        for phase, parts in PHASES.items():
            whole = getattr(row, f"seconds_{phase}")
            assert whole > 0.0, phase
            seconds = {name: getattr(row, f"seconds_{name}") for name in parts.values()}
            replays = row.replay_age_mean is not None
            missing = {name for name, value in seconds.items() if value is None}
            assert missing == ({"train_encode"} & seconds.keys() if not replays else set())
            found = [value for value in seconds.values() if value is not None]
            assert all(value > 0.0 for value in found)
            assert sum(found) <= whole
            timed += len(found)
    assert [row.replay_age_mean is not None for row in rows] == [False, True]
    # Two parts of generating, and of training four, five with replay.
    assert timed == 2 + 4 + 2 + 5
    for row in rows:
        own = [group for group in groups if group.step == row.step]
        drawn = sum(c.tokens for group in own if group.source == "fresh" for c in group.completions)
        trained = [c.tokens for g in own for c in g.completions if c.advantage is not None]
        before = rows[row.step - 2].tokens_generated if row.step > 1 else 0
        assert row.tokens_generated - before == drawn
        assert row.tokens_trained == sum(trained) > 0
        assert row.tokens_prompt is not None and row.tokens_prompt > 0


def test_what_the_reference_is_asked_for_the_buffer_is_part_of_training(
    base: Path, tmp_path: Path
) -> None:
    # Without a KL term in the loss only the distance that is stored asks for it.
    settings = ("replay.priority=release", "loss.beta=0.0", "steps=1", "held_out.samples=0")
    run = train(small(tmp_path / "run", base, *settings)).directory
    ((_, row),) = read_jsonl(run / "metrics.jsonl")
    assert 0.0 < row["seconds_reference"] < row["seconds_train"]


def test_losses_in_pieces_time_their_own_work(policy: QwenOmniPolicy, visits: list[Visit]) -> None:
    traced = [
        visit._replace(sample=replace(visit.sample, responses=("<answer>A</answer>",)))
        for visit in visits[:2]
    ]
    config, noted, watch = OptimConfig(), list[float](), Stopwatch()
    optimiser = make_optimiser(policy.parameters(), config)
    with watch.phase("train"):
        take_step(optimiser, losses_of(policy, traced, 2, noted), lr=1e-3, max_norm=1.0)
    assert len(noted) == 2
    # The second piece is computed between two backward passes, not within one.
    parts = {f"train/{name}" for name in ("encode", "logprobs", "backward", "optimiser")}
    assert watch.seconds.keys() == {"train", *parts}
    assert sum(watch.seconds[part] for part in parts) <= watch.seconds["train"]


def test_a_stream_left_half_way_leaves_no_phase_open(
    policy: QwenOmniPolicy, visits: list[Visit]
) -> None:
    encoded = policy.encode([visits[0].prepared])
    watch = Stopwatch()
    with watch.phase("answer"):
        stream = policy.stream(encoded, Sampling(max_new_tokens=8), seed=0)
        next(stream)
    assert list(watch.seconds) == ["answer/prefill", "answer"]
    prefill = watch.seconds["answer/prefill"]
    assert 0.0 < prefill < watch.seconds["answer"]
    next(stream)
    with watch.phase("train"), torch.no_grad():
        policy.logprobs(encoded, [[torch.tensor([5, 6])]])
        stream.close()  # type: ignore[attr-defined]
    assert list(watch.seconds) == ["answer/prefill", "answer", "train/logprobs", "train"]
    assert watch.seconds["answer/prefill"] == prefill
