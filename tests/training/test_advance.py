"""Ends of a run in its middle: a judge that fails, steps that cannot be taken, a signal."""

from __future__ import annotations

import math
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from avatar_core.config.resolve import resolve_train
from avatar_core.errors import DataError, MediaError, NonFiniteError, ServiceError, Stopped
from avatar_core.manifest import sound_checkpoints
from avatar_core.replay import ReplayBuffer
from avatar_core.rewards.judging.judge import (
    CountingJudge,
    JudgeRequest,
    Verdict,
    verdict_of,
)
from avatar_core.training import advance as advance_module
from avatar_core.training import run as run_module
from avatar_core.training.advance import Saver
from avatar_core.training.checkpoint import TrainerState
from avatar_core.training.rows import StepRecord
from avatar_core.training.run import train
from avatar_core.training.step import NOT_TAKEN
from avatar_core.training.telemetry import Counters
from avatar_core.training.trainee import Look
from avatar_core.training.watcher import SILENT
from tests.training.runs import (
    read_rows,
    replay_state,
    same_tensors,
    small,
    spread,
    tensors,
    timeless,
)

JUDGED = (
    "reward.weights={ judge = 1.0, accuracy = 0.0, spread = 0.0 }",
    "steps=4",
    "held_out.samples=0",
    "checkpoint.every=50",
)


class Mortal:
    """Grades by the text; after so many calls it does not answer any more."""

    def __init__(self, calls: int) -> None:
        self.left = calls

    def grade(self, requests: Sequence[JudgeRequest]) -> list[Verdict]:
        self.left -= 1
        if self.left < 0:
            return [Verdict(failure="unreachable", reason="is dead") for _ in requests]
        values = [spread([r.completion], r.sample)[0] or 0.0 for r in requests]
        return [verdict_of({"x": value}) for value in values]


@pytest.fixture
def judged_by(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Install a judge that answers for so many groups; every completion states an answer."""
    monkeypatch.setattr(
        "avatar_core.rewards.judging.reward.split_completion",
        lambda text: type("Split", (), {"answer": "x"})(),
    )

    def install(groups: int) -> None:
        judge = CountingJudge(Mortal(groups), max_failures=4)
        monkeypatch.setattr(run_module, "judge_of", lambda config, run: judge)

    return install


def test_after_the_judge_is_mended_the_run_is_the_undisturbed_one(
    judged_by: Any, base: Path, tmp_path: Path
) -> None:
    settings = (*JUDGED, "rollout.fresh_per_group=4", "replay.enabled=false")
    whole, run = tmp_path / "whole", tmp_path / "run"
    judged_by(100)
    train(small(whole, base, *settings))
    rows = read_rows(whole / "metrics.jsonl")
    assert rows[-1]["unscored"] == 0
    # Two groups of four a step: it dies before the second group of step 3.
    judged_by(5)
    with pytest.raises(ServiceError, match="4 completions in a row ungraded.*is dead") as caught:
        train(small(run, base, *settings))
    assert caught.value.exit_code == 9
    assert len(read_rows(run / "metrics.jsonl")) == 2
    # Still down: what was saved stays, and nothing is saved again.
    judged_by(0)
    with pytest.raises(ServiceError):
        train(small(run, base, *settings))
    assert sound_checkpoints(run) == [run / "checkpoints" / "step-2"]
    judged_by(100)
    train(small(run, base, *settings))
    assert timeless(run) == timeless(whole)
    assert read_rows(run / "groups.jsonl") == read_rows(whole / "groups.jsonl")
    name = "model.safetensors"
    assert same_tensors(tensors(run, 4, name), tensors(whole, 4, name))
    assert replay_state(run, 4) == replay_state(whole, 4)


def test_a_judge_that_is_down_from_the_start_leaves_no_checkpoint(
    judged_by: Any, base: Path, tmp_path: Path
) -> None:
    judged_by(0)
    with pytest.raises(ServiceError):
        train(small(tmp_path / "run", base, *JUDGED))
    assert sound_checkpoints(tmp_path / "run") == []
    assert read_rows(tmp_path / "run" / "groups.jsonl") == []


def steps(*numbers: int, broken: Sequence[int] = ()) -> list[StepRecord]:
    """Steps that were not taken, since nothing could be read or since something is not finite."""
    failures: list[MediaError | DataError] = [MediaError("1.mp4", "is damaged")]
    return [
        StepRecord(n, 1, 0.0, Look([], failures), NOT_TAKEN, 1e-4, {}, diagnostics=found)
        for n in numbers
        for found in [{"loss": math.nan} if n in broken else {}]
    ]


def walked(
    run: Path, records: list[StepRecord], monkeypatch: pytest.MonkeyPatch, **world: Any
) -> list[int]:
    """Advance over these steps; returns the steps that were saved."""
    saved: list[int] = []
    monkeypatch.setattr(advance_module, "steps_of", lambda *_: iter(records))
    monkeypatch.setattr(Saver, "save", lambda self: saved.append(self.step))
    state = TrainerState(None, Counters(), ReplayBuffer(), "")  # type: ignore[arg-type]
    alone = {"leads": True, "gather": list, "wait": lambda: None}
    trainee = SimpleNamespace(state=state, world=SimpleNamespace(**{**alone, **world}))
    config = resolve_train(stage=1, assignments=["steps=9", "optim.max_skipped=3"])
    advance_module.advance(run, config, trainee, 0, SILENT)  # type: ignore[arg-type]
    return saved


def test_a_streak_with_a_step_that_was_not_finite_ends_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Steps 1 and 2 overflow, and the clips of the third cannot be read: the last is not the cause.
    with pytest.raises(NonFiniteError, match="step 3: .* not finite in 2 of 3 consecutive steps"):
        walked(tmp_path, steps(1, 2, 3, broken=(1, 2)), monkeypatch)
    with pytest.raises(DataError, match="step 3: no prompt of 3 consecutive .* 1.mp4: is damaged"):
        walked(tmp_path, steps(1, 2, 3), monkeypatch)


def test_a_signal_that_comes_while_signals_are_compared_stops_after_the_next_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[int | None] = []

    def gather(items: Sequence[int | None]) -> list[int | None]:
        compared.extend(items)
        if len(compared) == 1:
            os.kill(os.getpid(), signal.SIGTERM)
        return list(items)

    with pytest.raises(Stopped, match="stopped after step 2") as caught:
        walked(tmp_path, steps(1, 2, 3), monkeypatch, gather=gather)
    assert caught.value.exit_code == 143
    assert compared == [None, signal.SIGTERM]
