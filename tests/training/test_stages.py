"""All stages in a row on the tiny model, two steps each."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest

from avatar_core.config.stages import cold_start_config, resolve_stages
from avatar_core.config.train import TrainConfig
from avatar_core.errors import (
    CheckpointError,
    OutOfMemoryError,
    RunLockedError,
    Stopped,
    UsageError,
)
from avatar_core.files import read_json, run_lock
from avatar_core.manifest import sound_checkpoints
from avatar_core.rewards import REWARDS
from avatar_core.training import stages as stages_module
from avatar_core.training.run import RunResult
from avatar_core.training.stages import take_cold_start, train_stages
from avatar_core.training.watcher import SILENT, Watcher
from tests.training.runs import files_of, read_rows, same_tensors, spread, tensors, timeless

SETTINGS = (
    "steps=2",
    "rollout.pool=8",
    "rollout.prompts_per_step=2",
    "rollout.group_size=4",
    "rollout.fresh_per_group=2",
    "sampling.max_new_tokens=12",
    "replay.min_fill=8",
    "held_out.samples=4",
    "supervised.batch_size=4",
)
MODEL = "model.safetensors"
# The stages are trained once, by the worker that has all of these tests.
pytestmark = pytest.mark.xdist_group("stages")


def small_stages(out: Path) -> list[TrainConfig]:
    configs = resolve_stages(assignments=SETTINGS, flags={"out": str(out)})
    # Two steps of traces leave all answers wrong; this reward tells them apart.
    reward = configs[1].reward.model_copy(update={"weights": {"spread": 1.0, "accuracy": 0.0}})
    configs[1] = configs[1].model_copy(update={"reward": reward})
    return configs


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> list[RunResult]:
    """Nobody changes these directories."""
    with pytest.MonkeyPatch.context() as patch:
        # The fixture that registers it for every test comes later than one of a module.
        patch.setitem(REWARDS, "spread", spread)
        return train_stages(small_stages(tmp_path_factory.mktemp("stages") / "all"))


def test_each_stage_begins_with_what_the_one_before_left(finished: list[RunResult]) -> None:
    assert [result.directory.name for result in finished] == [f"stage{n}" for n in range(4)]
    for result in finished:
        rows = read_rows(result.directory / "metrics.jsonl")
        assert [row["step"] for row in rows] == [1, 2]
        assert result.held_out is not None
        assert result.held_out.samples == 4
    prints = [read_json(result.directory / "manifest.json") for result in finished]
    # A stage whose few completions are all worth the same leaves the weights as they are.
    learnt = [
        any(row["grad_norm"] for row in read_rows(result.directory / "metrics.jsonl"))
        for result in finished[:-1]
    ]
    assert learnt[:2] == [True, True]
    assert len({document["model_fingerprint"] for document in prints}) == 1 + sum(learnt)
    for one, other in zip(finished, finished[1:], strict=False):
        assert read_json(other.directory / "config.json")["init"] == str(one.directory)
    weights = [read_json(r.directory / "config.json")["reward"]["weights"] for r in finished]
    assert weights[2] == {"format": 0.2, "accuracy": 0.4, "self": 0.4}
    # Stage 3 is judged, accuracy only recorded.
    parts = [
        member["parts"]
        for group in read_rows(finished[3].directory / "groups.jsonl")
        for member in group["completions"]
    ]
    assert len(parts) >= 12
    assert all(part.keys() == {"format", "judge", "accuracy"} for part in parts)


def test_a_curriculum_that_is_stopped_goes_on_at_the_unfinished_stage(
    finished: list[RunResult], tmp_path: Path
) -> None:
    configs = small_stages(tmp_path / "all")
    said: list[str] = []

    def stop(row: object, total: int) -> None:
        if (getattr(row, "stage", 0), getattr(row, "step", 0)) == (2, 1):
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Stopped, match="stopped after step 1"):
        train_stages(configs, watcher=Watcher(said.append, stop))
    assert not (tmp_path / "all" / "stage3").exists()
    steps: list[tuple[int, int]] = []
    watcher = Watcher(said.append, lambda row, total: steps.append((row.stage, row.step)))
    results = train_stages(configs, watcher=watcher)
    assert steps == [(2, 2), (3, 1), (3, 2)]
    assert [result.held_out for result in results] == [result.held_out for result in finished]
    for one, other in zip(results, finished, strict=True):
        assert timeless(one.directory) == timeless(other.directory)
        ends = (tensors(result.directory, 2, MODEL) for result in (one, other))
        assert same_tensors(*ends)


def test_the_inputs_of_all_stages_are_checked_before_the_first(tmp_path: Path) -> None:
    configs = small_stages(tmp_path / "all")
    (tmp_path / "all" / "stage3").mkdir(parents=True)
    (tmp_path / "all" / "stage3" / "thesis.tex").write_text("mine", "utf-8")
    with pytest.raises(UsageError, match="stage3: is not empty and holds no run"):
        train_stages(configs)
    assert list(files_of(tmp_path)) == ["all/stage3/thesis.tex"]


def test_the_cold_start_is_copied_as_stage_0(
    finished: list[RunResult], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "kept"
    shutil.copytree(finished[0].directory, kept)
    calls: list[int] = []

    def cold_start(watcher: Watcher) -> Path:
        calls.append(1)
        return kept

    monkeypatch.setattr(stages_module, "cold_start", cold_start)
    config = cold_start_config().model_copy(update={"out": str(tmp_path / "all" / "stage0")})
    run = Path(config.out)
    run.mkdir(parents=True)
    (run / ".lock").touch()
    take_cold_start(config, SILENT)
    assert read_json(run / "config.json") == config.model_dump(mode="json")
    assert sound_checkpoints(run) == [run / "checkpoints" / "step-2"]
    copied, source = files_of(run), files_of(kept)
    assert copied.keys() == source.keys() - {".lock"}
    assert {name for name in copied if copied[name] != source[name]} == {"config.json"}
    take_cold_start(config, SILENT)
    assert calls == [1]


def test_a_stage_without_a_sound_checkpoint_stops_the_next(
    finished: list[RunResult], tmp_path: Path
) -> None:
    configs = small_stages(tmp_path / "all")
    shutil.copytree(finished[0].directory, tmp_path / "all" / "stage0")
    # The copy says that it ran elsewhere, which is free to change.
    weights = tmp_path / "all" / "stage0" / "checkpoints" / "step-2" / MODEL
    weights.unlink()
    with pytest.raises(CheckpointError, match="no checkpoint is sound"):
        train_stages(configs)


@pytest.fixture
def cold(tmp_path: Path) -> TrainConfig:
    return cold_start_config().model_copy(update={"out": str(tmp_path / "all" / "stage0")})


def test_memory_that_runs_out_in_the_cold_start_names_what_to_lower(
    cold: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cold_start(watcher: Watcher) -> Path:
        raise MemoryError

    monkeypatch.setattr(stages_module, "checked", lambda *_, **__: [None])
    monkeypatch.setattr(stages_module, "cold_start", cold_start)
    with pytest.raises(OutOfMemoryError, match=r"lower supervised\.batch_size"):
        train_stages([cold])


def test_the_directory_of_a_run_that_is_about_to_begin_stays(
    cold: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stages_module, "cold_start", lambda watcher: tmp_path / "kept")
    with run_lock(Path(cold.out)), pytest.raises(RunLockedError, match="in use by process"):
        take_cold_start(cold, SILENT)
    assert [path.name for path in Path(cold.out).iterdir()] == [".lock"]
