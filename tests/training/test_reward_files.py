"""Reward files: run when a run names them, pinned for its life, never run for a checkpoint."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from avatar_core.config.train import TrainConfig
from avatar_core.errors import UsageError
from avatar_core.files import read_json, write_json
from avatar_core.models.loading import load_policy
from avatar_core.rewards import REWARDS, custom
from avatar_core.run_settings import run_settings
from avatar_core.training.preflight import check_inputs
from avatar_core.training.reward_files import load_reward_files, reward_versions
from avatar_core.training.run import train
from tests.tiny_run import tiny_run
from tests.training.runs import read_rows, small

CODE = """
from pathlib import Path
from avatar_core.rewards import register
Path(__file__).with_suffix(".ran").touch()

@register("length")
def length(texts, sample):
    return [len(text) / 100 for text in texts]
"""


@pytest.fixture(autouse=True)
def forget(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test is a process of its own as far as reward files go."""
    before = dict(REWARDS)
    monkeypatch.setattr(custom, "_loaded", {})
    yield
    REWARDS.clear()
    REWARDS.update(before)


@pytest.fixture
def code(tmp_path: Path) -> Path:
    file = tmp_path / "mine.py"
    file.write_text(CODE, "utf-8")
    return file


def config_with(code: Path, run: Path, base: Path, *more: str) -> TrainConfig:
    files = f'reward.files=["{code}"]'
    return small(
        run,
        base,
        files,
        "reward.weights={ length = 1.0, spread = 0.0 }",
        "held_out.samples=0",
        "steps=1",
        *more,
    )


def test_a_reward_of_a_file_counts(code: Path, base: Path, tmp_path: Path) -> None:
    train(config_with(code, tmp_path / "run", base))
    groups = read_rows(tmp_path / "run" / "groups.jsonl")
    members = [member for group in groups for member in group["completions"]]
    assert len(members) == 8
    for member in members:
        assert member["reward"] == pytest.approx(len(member["text"]) / 100)


def test_a_run_does_not_go_on_with_other_code(
    code: Path, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_with(code, tmp_path / "run", base)
    train(config)
    more = config.model_copy(update={"steps": 2})
    check_inputs(more)
    monkeypatch.setattr(custom, "_loaded", {})
    del REWARDS["length"]
    code.with_suffix(".ran").unlink()
    code.write_text(CODE.replace("/ 100", "/ 50"), "utf-8")
    with pytest.raises(UsageError, match=r"mine.py: has changed since the run in .* began"):
        check_inputs(more)
    # Refused before it is run, and only there.
    assert not code.with_suffix(".ran").exists()
    check_inputs(config_with(code, tmp_path / "other", base))
    assert code.with_suffix(".ran").exists()


def test_a_missing_file_is_the_users_to_mend(code: Path, base: Path, tmp_path: Path) -> None:
    config = config_with(tmp_path / "gone.py", tmp_path / "run", base)
    with pytest.raises(UsageError, match=r"gone.py: cannot read: No such file") as caught:
        load_reward_files(config.reward, tmp_path / "run")
    assert caught.value.exit_code == 2
    long = config.reward.model_copy(update={"files": ("x" * 300,)})
    with pytest.raises(UsageError, match="--reward-file .* cannot be used as a path"):
        reward_versions(long)


def test_code_named_by_a_checkpoint_is_never_run(code: Path, base: Path, tmp_path: Path) -> None:
    run = tiny_run(tmp_path / "run")
    document = read_json(run / "config.json")
    document["reward"]["files"] = [str(code)]
    write_json(run / "config.json", document)
    settings = run_settings(str(run))
    load_policy(settings.checkpoint)
    # As the model to start from, too.
    check_inputs(small(tmp_path / "next", run))
    assert not code.with_suffix(".ran").exists()
