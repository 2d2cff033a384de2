from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.progress import Progress

from avatar_cli.__main__ import main
from avatar_cli.options import Output
from avatar_cli.render import progress_bar
from tests.run_records import group_row, metrics_row, write_run


@pytest.fixture
def run(tmp_path: Path) -> Path:
    metrics = metrics_row(
        completions_generated=2,
        completions_trained=2,
        completions_replayed=0,
        tokens_generated=10,
    )
    return write_run(tmp_path, [metrics], [group_row([1.0, 0.0], [1.0, -1.0])])


def test_a_sound_run_is_one_line(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "verify", str(run)]) == 0
    summary = "sound, 1 step, 1 group, 2 completions, 0 checkpoints, 0 replay stores"
    assert capsys.readouterr().out == f"{run}: {summary}\n"


def test_a_bar_says_what_is_done(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bars = []

    def bar(output: Output) -> Progress:
        bars.append(progress_bar(output))
        return bars[-1]

    monkeypatch.setattr("avatar_cli.render.progress_bar", bar)
    assert main(["replay", "verify", str(run)]) == 0
    (told,) = bars
    assert [task.description for task in told.tasks] == ["checking records and checkpoints"]


def test_problems_are_listed_and_end_in_exit_4(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (run / "groups.jsonl").open("a") as file:
        file.write('{"text": "\x1b[2J"}\n{}\n{"torn')
    assert main(["replay", "verify", str(run)]) == 4
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert [line.split(": ")[0] for line in lines[:3]] == [
        "groups.jsonl:2",
        "groups.jsonl:3",
        "note",
    ]
    assert "not sound" in lines[3]
    assert "2 problems found" in captured.err

    assert main(["replay", "verify", str(run), "--json"]) == 4
    document = json.loads(capsys.readouterr().out)
    assert set(document) == {
        *("schema", "path", "sound", "steps", "groups", "completions"),
        *("checkpoints", "stores", "problems", "notes"),
    }
    assert document["sound"] is False
    assert [set(problem) for problem in document["problems"]] == [{"file", "line", "problem"}] * 2
    assert [problem["line"] for problem in document["problems"]] == [2, 3]
