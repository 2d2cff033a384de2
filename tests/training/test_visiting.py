"""Runs with the options of preset `plus`: each does its part, and none when it is off."""

from __future__ import annotations

import hashlib
import os
import signal
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import pytest

from avatar_core.config.train import TrainConfig
from avatar_core.errors import Stopped
from avatar_core.files import read_json
from avatar_core.rewards import REWARDS
from avatar_core.training import baselines, comparing, skipping
from avatar_core.training.run import train
from avatar_core.types import Sample
from tests.training.runs import (
    at_step,
    read_rows,
    replay_state,
    same_tensors,
    small,
    tensors,
    timeless,
)

STEPS = 12
PLUS = (
    f"steps={STEPS}",
    # Two prompts at a time, each visited six times in a row.
    "rollout.window=2",
    "rollout.visits=6",
    "rollout.adaptive_group=true",
    "rollout.min_group=1",
    "rollout.skip=true",
    "rollout.skip_keep=0.01",
    "advantage.baseline=shrinkage",
    "rollout.fresh_per_group=3",
    "advantage.forgetting=0.8",
    "replay.inject_success=true",
)


def seldom_right(texts: Sequence[str], sample: Sample, *, numeric: str) -> list[float | None]:
    """Right or wrong by the text, one in four."""
    del sample, numeric
    return [float(hashlib.blake2b(text.encode()).digest()[1] % 4 == 0) for text in texts]


def plus(out: Path, init: Path, *assignments: str) -> TrainConfig:
    settings = (
        *PLUS,
        "reward.weights={ spread = 0.0, accuracy = 1.0 }",
        "held_out.samples=0",
        *assignments,
    )
    return small(out, init, *settings)


def state_of(run: Path, step: int) -> dict[str, object]:
    document = read_json(run / "checkpoints" / f"step-{step}" / "trainer" / "state.json")
    assert isinstance(document, dict)
    return document


@pytest.fixture
def accuracy_by_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(REWARDS, "accuracy", seldom_right)


@pytest.mark.usefixtures("accuracy_by_text")
def test_a_run_with_every_option_resumes_bit_for_bit(base: Path, tmp_path: Path) -> None:
    whole, parted = tmp_path / "whole", tmp_path / "parted"
    train(plus(whole, base))
    for step in (2, 7):
        stop = at_step(step, lambda: os.kill(os.getpid(), signal.SIGTERM))
        with pytest.raises(Stopped):
            train(plus(parted, base), watcher=stop)
    train(plus(parted, base))
    for name in ("model.safetensors", "trainer/optimiser.safetensors"):
        assert same_tensors(tensors(whole, STEPS, name), tensors(parted, STEPS, name))
    assert replay_state(whole, STEPS) == replay_state(parted, STEPS)
    assert state_of(whole, STEPS) == state_of(parted, STEPS)
    assert timeless(whole) == timeless(parted)
    groups = read_rows(whole / "groups.jsonl")
    assert groups == read_rows(parted / "groups.jsonl")
    # What makes the comparison one: every option did something.
    fresh = [row for row in groups if row["source"] == "fresh"]
    sizes = Counter(len(row["completions"]) for row in fresh)
    rows = timeless(whole)
    assert len(sizes) > 2 and sizes[1] > 0
    assert len(fresh) == 2 * STEPS
    assert rows[-1]["visits_skipped"] > 0
    assert rows[-1]["epoch"] == (2 * STEPS + rows[-1]["visits_skipped"]) / (8 * 6)
    silent = [row for row in fresh if row["no_signal"]]
    assert any(item["advantage"] for row in silent for item in row["completions"])
    # Only an injected success is replayed without a per-prompt baseline.
    injected = [row for row in groups if row["source"] == "replayed" and row["baseline"] is None]
    assert injected
    failed = {
        (row["step"], row["prompt_id"])
        for row in fresh
        if not any(item["parts"]["accuracy"] for item in row["completions"])
    }
    for row in injected:
        assert (row["step"], row["prompt_id"]) in failed
        (item,) = row["completions"]
        assert item["parts"]["accuracy"] == 1.0 and item["advantage"] > 0
    assert rows[-1]["completions_generated"] == sum(len(row["completions"]) for row in fresh)
    assert rows[-1]["completions_trained"] == sum(len(row["completions"]) for row in groups)


def test_without_the_options_none_of_it_is_entered(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object, **more: object) -> NoReturn:
        raise AssertionError("an option that is off was entered")

    for module, name in (
        (comparing, "shrinkage_advantages"),
        (comparing, "stored_successes"),
        (comparing, "with_successes"),
        (comparing, "split"),
        (comparing, "padded_rewards"),
        (baselines, "adaptive_group_size"),
        (baselines, "remembered"),
        (skipping, "walk"),
        (skipping, "continued"),
        (skipping, "skip_probability"),
    ):
        monkeypatch.setattr(module, name, refuse)
    train(small(tmp_path / "run", base))
    state = state_of(tmp_path / "run", 6)
    assert (state["memories"], state["runs"]) == ({}, {})
    assert timeless(tmp_path / "run")[-1]["visits_skipped"] == 0
