"""Whole runs of the tiny model; equal bits are promised for one machine, one thread count."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from avatar_core.config.train import TrainConfig
from avatar_core.errors import (
    CheckpointError,
    DataError,
    NonFiniteError,
    OutOfMemoryError,
    RunLockedError,
    Stopped,
    UsageError,
)
from avatar_core.evaluation_records import EvalRow
from avatar_core.files import read_json
from avatar_core.manifest import sound_checkpoints
from avatar_core.models.qwen_omni import QwenOmniPolicy
from avatar_core.records import GroupRow, Manifest, MetricsRow, read_record
from avatar_core.rewards import REWARDS
from avatar_core.training import learning, loop, opening, sft
from avatar_core.training import run as run_module
from avatar_core.training.data import Data, load_data
from avatar_core.training.rollout import draw_completions
from avatar_core.training.run import (
    RunResult,
    cold_start,
    run_or_await,
    train,
)
from avatar_core.training.update import loss_terms
from avatar_core.training.watcher import SILENT, Watcher
from tests.test_records import REQUIRED_METRICS, words
from tests.training.runs import (
    SETTINGS,
    STEPS,
    at_step,
    files_of,
    read_rows,
    replay_state,
    same_tensors,
    small,
    spread,
    tensors,
    timeless,
)
from tests.training.test_data import write_data

OPTIMISER = "trainer/optimiser.safetensors"
MODEL = "model.safetensors"


@pytest.fixture(scope="session")
def finished(base: Path, tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    """An uninterrupted run; nobody changes its directory."""
    out = tmp_path_factory.mktemp("runs") / "whole"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(REWARDS, "spread", spread)
        return train(small(out, base))


def same_end(run: Path, other: Path, step: int = STEPS) -> None:
    """Two runs that ended alike, bit for bit."""
    assert same_tensors(tensors(run, step, MODEL), tensors(other, step, MODEL))
    assert same_tensors(tensors(run, step, OPTIMISER), tensors(other, step, OPTIMISER))
    assert replay_state(run, step) == replay_state(other, step)
    assert timeless(run) == timeless(other)
    assert read_rows(run / "groups.jsonl") == read_rows(other / "groups.jsonl")


def stopped_after(config: TrainConfig, step: int) -> None:
    """Run until a SIGTERM that comes while a step is reported."""
    with pytest.raises(Stopped) as caught:
        train(config, watcher=at_step(step, lambda: os.kill(os.getpid(), signal.SIGTERM)))
    assert caught.value.exit_code == 143
    assert f"stopped after step {step}" in str(caught.value)


def test_the_files_of_a_run(finished: RunResult) -> None:
    run = finished.directory
    metrics = read_rows(run / "metrics.jsonl")
    assert [row["step"] for row in metrics] == list(range(1, STEPS + 1))
    for number, row in enumerate(metrics, start=1):
        assert row.keys() >= words(REQUIRED_METRICS)
        read_record(MetricsRow, row, f"metrics.jsonl:{number}")
    groups = read_rows(run / "groups.jsonl")
    parsed = [read_record(GroupRow, row, f"groups.jsonl:{n}") for n, row in enumerate(groups, 1)]
    # Two fresh groups a step, and from step 3 on 2 x 2 completions of up to four stored groups.
    assert [
        sum(g.step == step and g.source == "fresh" for g in parsed) for step in range(1, 7)
    ] == [2] * 6
    again = [
        sum(len(g.completions) for g in parsed if g.step == step and g.source == "replayed")
        for step in range(1, 7)
    ]
    assert again == [0, 0, 4, 4, 4, 4]
    assert all(g.family is not None for g in parsed)
    config = read_json(run / "config.json")
    assert (config["stage"], config["steps"], config["out"]) == (1, STEPS, str(run))
    manifest = read_record(Manifest, read_json(run / "manifest.json"), "manifest.json")
    assert manifest.model_fingerprint
    for when in ("before", "after"):
        rows = read_rows(run / "held_out" / f"{when}.jsonl")
        assert len([read_record(EvalRow, row, when) for row in rows]) == 4
    assert sound_checkpoints(run) == [finished.checkpoint, run / "checkpoints" / "step-3"]
    assert not list(run.rglob("*.tmp"))


def test_the_counts_of_a_run_by_hand(finished: RunResult) -> None:
    rows = read_rows(finished.directory / "metrics.jsonl")
    columns = {key: [row[key] for row in rows] for key in rows[0]}
    # 2 prompts x 4 completions while the buffer fills to 12, then 2 x 2 and as many replayed.
    assert columns["completions_generated"] == [8, 16, 20, 24, 28, 32]
    assert columns["completions_trained"] == [8, 16, 24, 32, 40, 48]
    assert columns["completions_replayed"] == [0, 0, 4, 8, 12, 16]
    assert columns["groups"] == [2, 4, 6, 8, 10, 12]
    assert [sum(row[f"tier_{t}"] for t in ("easy", "medium", "hard")) for row in rows] == columns[
        "completions_generated"
    ]
    # Stage 1 of the tiny scale visits each of the 8 prompts once.
    assert columns["epoch"] == [step * 2 / 8 for step in range(1, 7)]
    assert columns["skipped_steps"] == columns["unscored"] == columns["media_failed"] == [0] * 6
    groups = read_rows(finished.directory / "groups.jsonl")
    fresh = [group for group in groups if group["source"] == "fresh"]
    silent = sum(len({c["reward"] for c in group["completions"]}) == 1 for group in fresh)
    assert columns["groups_no_signal"][-1] == silent < 12
    tokens = sum(c["tokens"] for group in fresh for c in group["completions"])
    assert columns["tokens_generated"][-1] == tokens
    assert columns["replay_age_mean"][:2] == [None, None]
    assert all(1 <= age <= 5 for age in columns["replay_age_mean"][2:])
    # The run starts at the reference; the update is what moves it.
    assert columns["kl"][0] == pytest.approx(0.0, abs=1e-9)
    assert columns["kl"][-1] > 1e-6
    assert columns["clip_low"][0] == columns["clip_high"][0] == 0.0


def test_plain_grpo_counts_and_replays_nothing(base: Path, tmp_path: Path) -> None:
    out = tmp_path / "grpo"
    train(small(out, base, "rollout.fresh_per_group=4", "steps=4", preset="grpo"))
    rows = read_rows(out / "metrics.jsonl")
    # 2 prompts x 4 completions every step.
    assert [row["completions_generated"] for row in rows] == [8, 16, 24, 32]
    assert [row["completions_trained"] for row in rows] == [8, 16, 24, 32]
    nulls = ("replay_adv_mean", "replay_age_mean", "replay_reuse_mean", "tier_easy", "tier_hard")
    assert {row[key] for row in rows for key in nulls} == {None}
    assert {row["completions_replayed"] for row in rows} == {0}


def test_the_same_command_twice_is_the_same_run(
    finished: RunResult, base: Path, tmp_path: Path
) -> None:
    train(small(tmp_path / "twin", base))
    same_end(finished.directory, tmp_path / "twin")
    other = train(small(tmp_path / "other", base, "seed=1", "steps=1", "held_out.samples=0"))
    assert timeless(other.directory) != timeless(finished.directory)[:1]


def test_a_finished_run_is_not_run_again(finished: RunResult, base: Path, tmp_path: Path) -> None:
    run = tmp_path / "whole"
    shutil.copytree(finished.directory, run)
    before = files_of(run)
    result = train(small(run, base), watcher=at_step(1, lambda: pytest.fail("a step was taken")))
    assert result.held_out == finished.held_out
    after = files_of(run)
    assert {name for name in before if after.get(name) != before[name]} <= {".lock", "config.json"}


CHILD = """
import os, signal, sys
import avatar_core.training.advance as run
from avatar_cli.__main__ import main
from avatar_core.rewards import REWARDS
from tests.training.runs import spread
REWARDS["spread"] = spread
made = run.metrics_row
def stop_at(record, counters):
    if record.step == 3:
        os.kill(os.getpid(), signal.SIGTERM)
    return made(record, counters)
run.metrics_row = stop_at
sys.exit(main(sys.argv[1:]))
"""


def test_a_run_that_is_terminated_and_resumed_is_the_uninterrupted_run(
    finished: RunResult, base: Path, tmp_path: Path
) -> None:
    run = tmp_path / "stopped"
    settings = [f"--set={setting}" for setting in SETTINGS]
    command = [sys.executable, "-W", "error::UserWarning", "-c", CHILD, "train", "--stage", "1"]
    done = subprocess.run(
        [*command, "--out", str(run), "--init", str(base), *settings, "--set=checkpoint.every=50"],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 143, done.stderr
    assert done.stderr.endswith("avatar: stopped after step 3; the same command continues\n")
    # Nothing of the libraries below: our own notes and the line of the end.
    assert re.findall(r"transformers|it/s|Warning", done.stderr) == []
    assert sound_checkpoints(run) == [run / "checkpoints" / "step-3"]
    assert len(timeless(run)) == 3
    train(small(run, base))
    same_end(run, finished.directory)


def test_a_run_may_be_stopped_more_than_once(
    finished: RunResult, base: Path, tmp_path: Path
) -> None:
    config = small(tmp_path / "run", base)
    for step in (1, 5):
        stopped_after(config, step)
    train(config)
    same_end(tmp_path / "run", finished.directory)


def test_a_signal_in_the_last_step_leaves_the_measurement_to_the_next_start(
    finished: RunResult, base: Path, tmp_path: Path
) -> None:
    config = small(tmp_path / "run", base, "steps=1")
    stopped_after(config, 1)
    assert not (tmp_path / "run" / "held_out" / "after.jsonl").exists()
    assert train(config).held_out is not None


def test_a_longer_run_measures_again(base: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    train(small(run, base, "steps=1"))
    after = run / "held_out" / "after.jsonl"
    after.write_text(after.read_text("utf-8").replace('"frames":', '"mark":1,"frames":'), "utf-8")
    before = (run / "held_out" / "before.jsonl").read_bytes()
    train(small(run, base, "steps=2"))
    assert "mark" not in after.read_text("utf-8")
    assert (run / "held_out" / "before.jsonl").read_bytes() == before
    assert read_json(run / "config.json")["steps"] == 2
    with pytest.raises(UsageError, match="--steps 1: the run in .* has taken 2 already"):
        train(small(run, base, "steps=1"))


def test_a_damaged_checkpoint_falls_back_to_the_one_before(
    finished: RunResult, base: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(finished.directory, run)
    newest = run / "checkpoints" / f"step-{STEPS}" / MODEL
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(content)
    steps: list[int] = []
    train(small(run, base), watcher=at_step(4, lambda: steps.append(4)))
    assert steps == [4]
    same_end(run, finished.directory)


def test_without_a_sound_checkpoint_a_run_does_not_start_over(
    finished: RunResult, base: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(finished.directory, run)
    for step in (3, STEPS):
        (run / "checkpoints" / f"step-{step}" / "trainer" / "state.json").unlink()
    before = files_of(run)
    # A free field has changed, so that a configuration written anew would show.
    with pytest.raises(CheckpointError, match="no checkpoint is sound") as caught:
        train(small(run, base, "checkpoint.every=2"))
    assert caught.value.exit_code == 4
    assert files_of(run) == before


def test_a_killed_run_without_a_checkpoint_begins_anew(
    finished: RunResult, base: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(finished.directory, run)
    shutil.rmtree(run / "checkpoints")
    (run / "checkpoints" / ".step-3.00.tmp" / "trainer").mkdir(parents=True)
    train(small(run, base))
    same_end(run, finished.directory)
    assert not list(run.glob("checkpoints/.*"))


def test_other_settings_and_no_resume_are_refused(
    finished: RunResult, base: Path, tmp_path: Path
) -> None:
    run = finished.directory
    before = files_of(run)
    with pytest.raises(UsageError, match=r"loss.beta: .* -> 0.7"):
        train(small(run, base, "loss.beta=0.7"))
    with pytest.raises(UsageError, match="holds a run already"):
        train(small(run, base), resume=False)
    assert files_of(run) == before


def test_a_directory_of_something_else_stays_untouched(base: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "thesis.tex").write_text("mine", "utf-8")
    for resume in (True, False):
        with pytest.raises(UsageError, match="is not empty and holds no run"):
            train(small(run, base), resume=resume)
    assert files_of(run) == {"thesis.tex": b"mine"}


def test_other_starting_weights_are_refused(
    finished: RunResult, base: Path, tmp_path: Path
) -> None:
    run, start = tmp_path / "run", tmp_path / "start"
    shutil.copytree(base, start)
    stopped_after(small(run, start, "steps=2"), 1)
    shutil.copyfile(finished.checkpoint / MODEL, start / MODEL)
    with pytest.raises(UsageError, match="began with other weights"):
        train(small(run, start, "steps=2"))


HOLDER = """
import sys, time
from pathlib import Path
from avatar_core.files import run_lock
with run_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_process_is_refused_at_once(base: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    command = [sys.executable, "-c", HOLDER, str(run)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            start = time.perf_counter()
            with pytest.raises(RunLockedError, match=f"in use by process {holder.pid}") as caught:
                train(small(run, base))
            assert time.perf_counter() - start < 1
            assert caught.value.exit_code == 6
        finally:
            holder.kill()
    # The lock of a process that was killed does not block.
    assert train(small(run, base, "steps=1")).checkpoint.is_dir()


def clips_data(folder: Path, samples: list[Any]) -> Path:
    """The same question about several clips."""
    rows = []
    for number in range(len(samples)):
        name = f"{number}.mp4"
        rows.append(
            {
                "id": str(number),
                "question": "How many?",
                "videos": [name],
                "solution": "2",
                "problem_type": "numerical",
            }
        )
    path = write_data(folder, "train.jsonl", rows)
    for number, sample in enumerate(samples):
        shutil.copyfile(sample.media[0].path, folder / f"{number}.mp4")
    return path


def breaking(folder: Path, clips: set[int]) -> Watcher:
    """Breaks some clips when they have been checked and the model is about to be loaded."""

    def say(sentence: str) -> None:
        if sentence.startswith("loading"):
            for number in clips:
                (folder / f"{number}.mp4").write_bytes(b"no film")

    return Watcher(say=say, step=lambda *_: None)


def test_broken_clips_are_counted_and_survived(
    base: Path, tmp_path: Path, samples: list[Any]
) -> None:
    data = clips_data(tmp_path, samples)
    config = small(tmp_path / "run", base, f"data={data}", "rollout.prompts_per_step=1", "steps=6")
    train(config, watcher=breaking(tmp_path, {1}))
    rows = read_rows(tmp_path / "run" / "metrics.jsonl")
    # Three prompts, two visits each: 6 steps of one prompt, of which 2 have nothing to show.
    assert [row["media_failed"] for row in rows][-1] == 2
    empty = [row for row in rows if row["reward_mean"] is None]
    assert len(empty) == 2
    assert {row["loss"] for row in empty} == {None}
    assert [row["groups"] for row in rows][-1] == 4
    # A clip is no number that is not finite.
    assert rows[-1]["skipped_steps"] == 0
    fresh = {row["prompt_id"] for row in read_rows(tmp_path / "run" / "groups.jsonl")}
    assert fresh == {"0", "2"}
    # Nor is the run refused for it when it goes on.
    train(config)


def test_a_run_without_a_readable_clip_ends(base: Path, tmp_path: Path, samples: list[Any]) -> None:
    data = clips_data(tmp_path, samples)
    config = small(tmp_path / "run", base, f"data={data}", "optim.max_skipped=3")
    with pytest.raises(DataError, match=r"no prompt of 3 consecutive steps .*\.mp4") as caught:
        train(config, watcher=breaking(tmp_path, {0, 1, 2}))
    assert caught.value.exit_code == 2
    assert len(read_rows(tmp_path / "run" / "metrics.jsonl")) == 3


def spoil(monkeypatch: pytest.MonkeyPatch, spoilt: set[int]) -> None:
    """Make the loss of some calls NaN."""
    calls = []

    def loss(*arguments: Any) -> Any:
        terms = loss_terms(*arguments)
        # The terms of the records are computed again, without a graph.
        calls.extend([1] * terms.loss.requires_grad)
        return terms._replace(loss=terms.loss * float("nan")) if len(calls) in spoilt else terms

    monkeypatch.setattr(learning, "loss_terms", loss)


def test_a_step_that_is_not_finite_is_skipped(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(monkeypatch, {2})
    train(small(tmp_path / "run", base, "steps=3"))
    rows = read_rows(tmp_path / "run" / "metrics.jsonl")
    assert [row["skipped_steps"] for row in rows] == [0, 1, 1]
    assert [row["loss"] is None for row in rows] == [False, True, False]
    assert [row["grad_norm"] is None for row in rows] == [False, True, False]
    assert [row["completions_generated"] for row in rows] == [8, 16, 24]
    assert [row["completions_trained"] for row in rows] == [8, 8, 16]
    # What broke a step is not stored: after two steps there are 8 completions, too few to replay.
    assert sum(rows[1][f"tier_{tier}"] for tier in ("easy", "medium", "hard")) == 8
    advantages = [
        c["advantage"]
        for group in read_rows(tmp_path / "run" / "groups.jsonl")
        if group["step"] == 2
        for c in group["completions"]
    ]
    assert advantages == [None] * 8


def test_five_in_a_row_save_and_end_the_run(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(monkeypatch, {1, 2, 3, 4, 5})
    run = tmp_path / "run"
    with pytest.raises(NonFiniteError, match=r"5 consecutive .*scenes/train/0/1/") as caught:
        train(small(run, base, "checkpoint.every=50"))
    assert caught.value.exit_code == 7
    rows = read_rows(run / "metrics.jsonl")
    assert [row["skipped_steps"] for row in rows] == [1, 2, 3, 4, 5]
    assert sound_checkpoints(run) == [run / "checkpoints" / "step-5"]
    assert same_tensors(tensors(run, 5, MODEL), load_file(base / MODEL))
    assert tensors(run, 5, OPTIMISER) == {}
    # The sixth call is sound again.
    train(small(run, base))
    assert len(read_rows(run / "metrics.jsonl")) == STEPS


def test_stage_0_learns_from_traces_and_resumes(base: Path, tmp_path: Path) -> None:
    settings = ("steps=3", "supervised.batch_size=4", "optim.lr=1e-3", "held_out.samples=0")
    whole, run = small(tmp_path / "a", base, *settings, stage=0), tmp_path / "b"
    assert train(whole).held_out is None
    rows = read_rows(tmp_path / "a" / "metrics.jsonl")
    losses = [row["loss"] for row in rows]
    # A vocabulary of about 512 at random: ln 512 = 6.2, give or take the scale of the logits.
    assert losses[0] > 5
    assert losses[-1] < losses[0]
    assert {row["completions_generated"] for row in rows} == {0}
    assert {row["groups"] for row in rows} == {0}
    config = small(run, base, *settings, stage=0)
    stopped_after(config, 2)
    train(config)
    same_end(run, tmp_path / "a", step=3)


def test_an_adapter_is_trained_and_resumed(base: Path, tmp_path: Path) -> None:
    settings = ("steps=3", "tuning=lora", "lora.rank=2", "lora.alpha=4", "held_out.samples=0")
    train(small(tmp_path / "a", base, *settings))
    config = small(tmp_path / "b", base, *settings)
    stopped_after(config, 1)
    train(config)
    name = "adapter_model.safetensors"
    assert same_tensors(tensors(tmp_path / "a", 3, name), tensors(tmp_path / "b", 3, name))
    assert timeless(tmp_path / "a") == timeless(tmp_path / "b")
    assert not (tmp_path / "a" / "checkpoints" / "step-3" / MODEL).exists()


def test_held_out_accuracy_is_given_before_and_after(finished: RunResult) -> None:
    held = finished.held_out
    assert held is not None
    assert held.samples == 4
    assert (held.before.value, held.after.value) == (0.0, 0.0)
    assert held.gain == 0.0


def test_logits_that_are_not_finite_cost_steps_and_nothing_else(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[int] = []

    def draw(policy: QwenOmniPolicy, *arguments: Any, step: int, **more: Any) -> Any:
        """In step 2 the model overflows."""
        hook = policy.model.lm_head.register_forward_hook(
            lambda module, inputs, logits: logits * float("nan" if step == 2 else 1)
        )
        steps.append(step)
        try:
            return draw_completions(policy, *arguments, step=step, **more)
        finally:
            hook.remove()

    monkeypatch.setattr(loop, "draw_completions", draw)
    train(small(tmp_path / "run", base, "steps=3", "held_out.samples=0"))
    rows = read_rows(tmp_path / "run" / "metrics.jsonl")
    assert steps == [1, 2, 3]
    assert [row["skipped_steps"] for row in rows] == [0, 1, 1]
    assert [row["loss"] is None for row in rows] == [False, True, False]


def test_a_row_that_is_no_video_is_refused_before_the_model_is_loaded(
    base: Path, tmp_path: Path, samples: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "load_policy", lambda *_, **__: pytest.fail("loaded"))
    data = clips_data(tmp_path, samples)
    (tmp_path / "1.mp4").write_text("a list of things to buy", "utf-8")
    with pytest.raises(DataError, match=r"train.jsonl:2: .*1.mp4: is damaged or not a media file"):
        train(small(tmp_path / "run", base, f"data={data}"))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("stage", [0, 1])
def test_memory_that_runs_out_is_exit_code_8_and_names_what_to_lower(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: int
) -> None:
    # More than any machine can address; torch's CPU allocator says so in a RuntimeError.
    for module in (learning, sft):
        monkeypatch.setattr(module, "take_step", lambda *_, **__: torch.empty(1 << 55))
    settings = ("steps=1", "held_out.samples=0", "supervised.batch_size=2")
    with pytest.raises(OutOfMemoryError, match="memory ran out .*allocate memory") as caught:
        train(small(tmp_path / "run", base, *settings, stage=stage))
    assert caught.value.exit_code == 8
    assert ("lower supervised.batch_size" in str(caught.value)) == (stage == 0)
    assert ("lower rollout.prompts_per_step" in str(caught.value)) == (stage == 1)
    assert str(caught.value).endswith("media.max_pixels, held_out.batch_size, or use --lora")


STAGE_0 = ("steps=1", "supervised.batch_size=2", "held_out.samples=0")


@pytest.fixture
def finished_stage_0(base: Path, tmp_path: Path) -> RunResult:
    return train(small(tmp_path / "finished", base, *STAGE_0, stage=0))


@pytest.mark.parametrize("first_is_killed", [True, False])
def test_a_second_first_run_waits_for_the_first(
    base: Path, finished_stage_0: RunResult, tmp_path: Path, first_is_killed: bool
) -> None:
    """The first holds the lock of the cached stage 0, and ends its run or is killed."""
    config = small(tmp_path / "run", base, *STAGE_0, stage=0)
    data = load_data(config)
    said: list[str] = []
    command = [sys.executable, "-c", HOLDER, config.out]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"

        def say(sentence: str) -> None:
            said.append(sentence)
            if "waiting for its end" not in sentence:
                return
            if first_is_killed:
                holder.kill()
            else:
                shutil.copytree(finished_stage_0.directory / "checkpoints", tmp_path / "copy")
                (tmp_path / "copy").rename(tmp_path / "run" / "checkpoints")

        try:
            run_or_await(config, data, Watcher(say=say, step=lambda *_: None))
        finally:
            holder.kill()
    assert sum("waiting for its end" in sentence for sentence in said) == 1
    taken = (tmp_path / "run" / "metrics.jsonl").is_file()
    assert taken == first_is_killed
    ends = (tensors(run, 1, MODEL) for run in (tmp_path / "run", finished_stage_0.directory))
    assert same_tensors(*ends)


def small_pool(config: TrainConfig) -> TrainConfig:
    rollout = config.rollout.model_copy(update={"pool": 2})
    return config.model_copy(update={"rollout": rollout})


def test_the_cold_start_prepares_its_scenes_once(monkeypatch: pytest.MonkeyPatch) -> None:
    prepared: list[Data] = []
    used: list[Data] = []

    def load(config: TrainConfig) -> Data:
        prepared.append(load_data(small_pool(config)))
        return prepared[-1]

    def stage(config: TrainConfig, data: Data, **_: Any) -> None:
        used.append(data)
        monkeypatch.setattr(run_module, "is_sound", lambda _: True)

    monkeypatch.setattr(run_module, "load_data", load)
    monkeypatch.setattr(run_module, "run_stage", stage)
    cold_start(SILENT)
    assert len(prepared) == 1
    assert used[0] is prepared[0]


def test_micro_batches_and_recomputed_activations_in_stage_0(base: Path, tmp_path: Path) -> None:
    # Muon rounds to 16 bits, where other sums of the same gradients may come to another digit.
    settings = ("steps=2", "supervised.batch_size=4", "held_out.samples=0", "optim.method=adamw")
    train(small(tmp_path / "a", base, *settings, stage=0))
    saving = ("optim.accumulate=2", "optim.gradient_checkpointing=true")
    train(small(tmp_path / "b", base, *settings, *saving, stage=0))
    one, other = (read_rows(tmp_path / name / "metrics.jsonl") for name in "ab")
    for key in ("loss", "grad_norm"):
        for row, its in zip(one, other, strict=True):
            assert its[key] == pytest.approx(row[key], rel=1e-5)
