"""All stages of `avatar train` in a row; a single one is in `test_train.py`."""

from __future__ import annotations

import json
import shutil
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from avatar_cli.__main__ import main
from avatar_cli.train_run import measured_on
from avatar_core.config.resolve import resolve_train
from avatar_core.evaluation.tally import Interval
from avatar_core.training.held_out import Accuracy, HeldOut
from tests.run_records import group_row, metrics_row, write_run

HELD_OUT = HeldOut(
    samples=200,
    before=Accuracy(0.25, Interval(0.2, 0.3125)),
    after=Accuracy(0.5, None),
    gain=0.25,
    gain_interval=Interval(-0.0625, 0.375),
)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_dry_run_of_all_stages(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["train", "--stage", "all", "--steps", "3", "--out", "mine", "--dry-run"]
    assert main([*arguments, "--json"]) == 0
    shown = capsys.readouterr()
    stages = json.loads(shown.out)["stages"]
    assert [(one["stage"], one["out"], one["steps"]) for one in stages] == [
        (stage, f"mine/stage{stage}", 3) for stage in range(4)
    ]
    runs = ", ".join(f"mine/stage{stage}" for stage in range(4))
    assert shown.err == f"every input is sound; without --dry-run this runs in {runs}\n"
    assert not any(elsewhere.iterdir())


@pytest.mark.parametrize("stage", ["1", "all"])
def test_what_a_dry_run_prints_is_a_file_of_the_same_settings(
    elsewhere: Path, capsys: pytest.CaptureFixture[str], stage: str
) -> None:
    train = ["train", "--stage", stage, "--dry-run"]
    given = ["--out", "mine", "--seed", "3", "--preset", "grpo", "--set", "optim.lr=3e-7"]

    def printed(*arguments: str) -> str:
        assert main([*train, *arguments]) == 0
        return capsys.readouterr().out

    (elsewhere / "mine.toml").write_text(printed(*given, "--quiet"), "utf-8")
    again = ["--config", "mine.toml"]
    settings = without_memory(printed(*given, "--json"))
    assert without_memory(printed(*again, "--json")) == settings
    assert printed(*again, "--quiet") == (elsewhere / "mine.toml").read_text("utf-8")
    # One stage of four is taken out of the file of all; its run is then that of `out`.
    one = settings if stage == "1" else {**settings["stages"][1], "out": "mine", "init": None}
    assert main(["train", "--stage", "1", *again, "--dry-run", "--json"]) == 0
    assert without_memory(capsys.readouterr().out) == one


def without_memory(printed: str) -> dict[str, Any]:
    """Settings from a printed document, without the memory estimated on this machine."""
    document: dict[str, Any] = json.loads(printed)
    for settings in document.get("stages", [document]):
        del settings["memory"]
    return document


def test_all_stages_end_with_one_table(
    elsewhere: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def train_stages(configs: Any, *, resume: bool, watcher: Any) -> list[Any]:
        assert resume
        results = []
        for config in configs:
            write_run(Path(config.out), [metrics_row(1)], [group_row([1.0, 0.0], [1.0, -1.0])])
            held_out = HELD_OUT if config.stage else None
            results.append(
                types.SimpleNamespace(directory=Path(config.out), held_out=held_out, leads=True)
            )
        return results

    module = types.ModuleType("avatar_core.training.stages")
    module.train_stages = train_stages  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    assert main(["train", "--stage", "all"]) == 0
    shown = capsys.readouterr()
    lines = [" ".join(line.split()) for line in shown.out.splitlines()]
    for family in ("1 visual", "2 audio-visual", "3 localisation"):
        assert f"{family} 200 25.0 % 50.0 % +25.0" in lines
    assert "Reward diversity" not in shown.out
    runs = " ".join(f"runs/all/stage{stage}" for stage in range(4))
    assert shown.err.splitlines()[-3:] == [
        f"next: avatar report {runs} --html report.html",
        "next: avatar eval scenes --model runs/all/stage3",
        "next: avatar infer CLIP QUESTION --model runs/all/stage3",
    ]
    for stage in range(4):
        shutil.rmtree(elsewhere / "runs" / "all" / f"stage{stage}")
    assert main(["train", "--stage", "all", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert len(document["runs"]) == 4


def test_what_a_run_was_measured_on_is_asked_next() -> None:
    assert measured_on(resolve_train(stage=2)) == "scenes --stage 2"
    assert measured_on(resolve_train(stage=0)) == "scenes"
    own = resolve_train(stage=1, assignments=["data=a.jsonl", "held_out.data=my questions.jsonl"])
    assert measured_on(own) == "'my questions.jsonl'"
