from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from avatar_cli.__main__ import main
from avatar_core.files import JsonlAppender, write_json
from tests.eval_rows import eval_row
from tests.run_records import eval_summary, group_row, metrics_row, write_run


@pytest.fixture
def run(tmp_path: Path) -> Path:
    groups = [
        group_row([1.0, 0.0, 0.0, 0.0], [1.5, -0.5, -0.5, -0.5]),
        group_row([0.5, 0.5], [0.0, 0.0]),
        group_row([1.0], [0.05], source="replayed", step=9, policy_step=2, tier="hard"),
    ]
    return write_run(
        tmp_path / "run", [metrics_row(1, accuracy_fresh=0.25), metrics_row(2)], groups
    )


def rows(text: str) -> dict[str, list[str]]:
    """Cells of each table row by its label."""
    found = {}
    for line in text.splitlines():
        label, *cells = line.strip().split("  ")
        found[label] = [cell.strip() for cell in cells if cell.strip()]
    return found


def test_the_tables_show_the_figures(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(run)]) == 0
    shown = capsys.readouterr().out
    table = rows(shown)
    # Fresh, replayed, all; hand-counted from the fixture.
    assert table["groups with signal"] == ["50.0 %", "0.0 %", "33.3 %"]
    assert table["distinct rewards per group"] == ["1.50", "1.00", "1.33"]
    assert table["|A| ≤ 0.1"] == ["33.3 %", "100.0 %", "42.9 %"]
    assert table["|A| > 1"] == ["16.7 %", "0.0 %", "14.3 %"]
    # 5 of 8 prompts are hard; one draw of age 7, never drawn before.
    assert table["hard"] == ["5", "62.5 %", "1", "7.0", "7", "0.00"]
    # Twice 2 seconds of 8.
    assert table["generate"] == ["4.0", "50.0 %"]
    assert "stage 1, 2 steps, 8 completions generated" in " ".join(shown.split())
    assert (
        "training accuracy 25.0 % in the first tenth of the steps, 50.0 % in the last"
        in " ".join(shown.split())
    )


def test_piped_output_is_plain_and_80_columns(run: Path) -> None:
    environment = {**os.environ, "TERM": "xterm-256color"}
    environment.pop("COLUMNS", None)
    for command in (
        ["report", str(run)],
        ["report", str(run), str(run)],
        ["replay", "stats", str(run)],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "avatar_cli", *command],
            capture_output=True,
            text=True,
            env=environment,
            check=True,
        )
        assert "\x1b" not in done.stdout + done.stderr
        assert max(map(len, done.stdout.splitlines())) <= 80
        assert done.stderr == ""


@pytest.mark.parametrize(
    "environment",
    [
        {"COLUMNS": "40"},
        {"PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"NO_COLOR": "1", "TERM": "dumb"},
    ],
)
def test_odd_terminals_are_no_error(run: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "avatar_cli", "report", str(run)],
        capture_output=True,
        env={**os.environ, **environment},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\x1b" not in done.stdout
    assert b"Reward diversity" in done.stdout


def test_json_is_the_only_thing_on_stdout(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "--json", str(run), str(run)]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["schema"], len(document["runs"])) == (1, 2)
    assert document["runs"][0]["rewards"]["fresh"]["signal_share"] == 0.5


def test_several_runs_are_set_side_by_side(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(run), str(run)]) == 0
    shown = capsys.readouterr().out
    assert shown.index("Runs compared") < shown.index("Reward diversity")
    assert shown.count("Reward diversity") == 2


def test_what_keeps_runs_from_being_compared_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = []
    for name, ids in (("a", ("1", "2")), ("b", ("1",))):
        folder = write_run(tmp_path / name, [metrics_row(1)], [group_row([1.0, 0.0])])
        write_json(folder / "config.json", {"out": name, "data": name, "seed": 0})
        with JsonlAppender(folder / "held_out/after.jsonl") as log:
            for key in ids:
                log.append(eval_row(key, True).to_row())
        runs.append(str(folder))
    assert main(["report", *runs]) == 0
    shown = capsys.readouterr().out
    assert rows(shown[shown.index("Settings that differ") :])["data"] == ["a", "b"]
    assert main(["report", "--json", *runs]) == 0
    assert json.loads(capsys.readouterr().out)["comparison"] == {
        "settings": [{"key": "data", "values": ["a", "b"]}],
        "same_items": False,
    }
    assert main(["report", *runs, "--html", str(tmp_path / "page.html")]) == 0
    page = (tmp_path / "page.html").read_text()
    assert "Settings that differ: 1" in page
    assert "These runs answered different items" in page


def test_a_directory_of_runs_is_refused_with_their_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(9):
        write_json(tmp_path / f"run{number}" / "config.json", {})
    assert main(["report", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert f"give the --out of a run; below it are {tmp_path}/run0, " in told
    # The first eight of nine.
    assert "run7" in told and "run8" not in told


def test_a_run_that_has_only_begun_is_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_json(tmp_path / "run" / "config.json", {})
    assert main(["report", str(tmp_path / "run")]) == 0
    assert "no training step on record" in " ".join(capsys.readouterr().out.split())


def test_an_evaluation_is_reported_and_foreign_text_is_escaped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    score = eval_summary(model="[red]x[/red]\x1b[2J:smile:")
    write_json(tmp_path / "summary.json", score.to_row())
    assert main(["report", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "[red]x[/red][2J:smile:" in shown
    assert "\x1b" not in shown
    table = rows(shown)
    assert table["accuracy"] == ["75.0 %"]
    assert table["95 % interval"] == ["30.0 % to 95.0 %"]


def test_a_damaged_run_is_one_line(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (run / "metrics.jsonl").write_text('{"schema": 9}\n')
    assert main(["report", str(run)]) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err.count("\n")) == ("", 1)
    assert "schema 9" in shown.err
