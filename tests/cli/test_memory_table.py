"""The table of memory that a dry run shows."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from avatar_cli.__main__ import main
from avatar_cli.memory_table import memory_table
from avatar_core.training.memory import MemoryEstimate

GIB = 2**30
SUPERVISED = MemoryEstimate(
    "process",
    {"process": GIB, "replay": 0, "weights": GIB // 4},
    {"update": {"towers": GIB // 2, "work": 1}, "step": {"gradients": GIB // 4}},
)
REINFORCED = MemoryEstimate(
    "process",
    {"process": GIB, "replay": GIB // 8, "weights": GIB // 4},
    {"rollout": {"KV cache": 3 * GIB}, "update": {"towers": GIB}, "step": {"gradients": 0}},
)


def lines_of(estimates: dict[int, MemoryEstimate]) -> list[str]:
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(memory_table(estimates))
    return [" ".join(line.split()) for line in console.export_text().splitlines() if line.strip()]


def test_one_run_and_its_fullest_phase() -> None:
    lines = lines_of({0: SUPERVISED})
    assert lines[0] == "Memory of the process, estimated, GiB"
    assert lines[3:] == [
        "process 1.00",
        "weights 0.25",
        "update: towers 0.50",
        "highest 1.75",
        "highest in update 1.75",
        "highest in step 1.50",
    ]


def test_several_runs_side_by_side() -> None:
    lines = lines_of({0: SUPERVISED, 1: REINFORCED})
    # Each with the parts of its own fullest phase.
    assert "update: towers 0.50 -" in lines and "rollout: KV cache - 3.00" in lines
    assert "replay 0.00 0.12" in lines
    assert "highest 1.75 4.38" in lines and "highest in rollout - 4.38" in lines


def test_a_dry_run_shows_it_beside_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["train", "--stage", "1", "--dry-run"]) == 0
    shown = capsys.readouterr()
    assert "Memory of the process, estimated, GiB" in shown.err
    assert "GiB" not in shown.out
    assert main(["train", "--stage", "all", "--dry-run", "--json"]) == 0
    memories = [one["memory"] for one in json.loads(capsys.readouterr().out)["stages"]]
    assert len(memories) == 4
    for memory in memories:
        held = memory["always"].values(), memory["phases"][memory["peak_phase"]].values()
        assert memory["peak_bytes"] == sum(map(sum, held)) > memory["always"]["process"] > 0
    # Later stages go on from what is not there yet, and are taken to be as large as the first.
    assert len({memory["always"]["weights"] for memory in memories}) == 1


def test_a_model_that_is_not_here_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["train", "--stage", "1", "--model", "owner/name", "--dry-run", "--json"]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["memory"] is None
    assert "is not known before the model is on this machine" in shown.err
