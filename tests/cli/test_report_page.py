from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from rich.progress import Progress

from avatar_cli.__main__ import main
from avatar_cli.options import Output
from avatar_cli.render import progress_bar
from avatar_core.files import write_json
from tests.run_records import eval_summary, group_row, metrics_row, write_run


@pytest.fixture
def run(tmp_path: Path) -> Path:
    groups = [group_row([0.0, 1.0], [-1.0, 1.0], step=step, policy_step=step) for step in (1, 2)]
    return write_run(tmp_path / "run", [metrics_row(1), metrics_row(2)], groups)


def test_one_page_is_written(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "new" / "report.html"
    assert main(["report", str(run), "--html", str(page), "--no-thumbnails"]) == 0
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert [path.name for path in page.parent.iterdir()] == ["report.html"]
    shown = capsys.readouterr()
    assert shown.out == "" and "report.html: " in shown.err and " kB" in shown.err


def test_a_report_is_replaced_and_nothing_else_is(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "report.html"
    command = ["report", str(run), "--html", str(page), "--no-thumbnails", "-q"]
    assert main(command) == 0
    assert main(command) == 0
    assert capsys.readouterr() == ("", "")
    page.write_text("my notes")
    assert main(command) == 2
    assert "exists and is no report" in capsys.readouterr().err
    assert page.read_text() == "my notes"
    assert main(["report", str(run), "--html", str(tmp_path)]) == 2
    assert "is a directory" in capsys.readouterr().err


def test_a_page_that_cannot_be_written_is_a_disk_error(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # A file stands where the directory of the page would be made.
    (tmp_path / "notes").touch()
    page = tmp_path / "notes" / "report.html"
    assert main(["report", str(run), "--html", str(page), "--no-thumbnails"]) == 5
    assert "cannot write" in capsys.readouterr().err


def test_json_goes_to_stdout_beside_the_page(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "report.html"
    assert main(["report", str(run), "--html", str(page), "--no-thumbnails", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["runs"]) == 1
    assert page.is_file()


def test_a_bar_says_that_frames_are_read(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bars = []

    def bar(output: Output) -> Progress:
        bars.append(progress_bar(output))
        return bars[-1]

    monkeypatch.setattr("avatar_cli.render.progress_bar", bar)
    assert main(["report", str(run), "--html", str(tmp_path / "report.html")]) == 0
    (told,) = bars
    assert [task.description for task in told.tasks] == ["reading frames of the prompts"]


def test_a_run_whose_clips_are_gone_is_shown_without_them(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "report.html"
    write_json(run / "config.json", {"stage": 1, "data": "gone.jsonl"})
    assert main(["report", str(run), "--html", str(page)]) == 0
    assert "run: shown without frames of its prompts" in capsys.readouterr().err
    assert "data:image" not in page.read_text(encoding="utf-8")


def test_running_killed_and_partial_runs_have_a_page(run: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    parent = tmp_path / "all"
    for stage, names in enumerate([("metrics.jsonl",), ("groups.jsonl",), ("config.json",)]):
        (parent / f"stage{stage}").mkdir(parents=True)
        for name in names:
            content = (run / name).read_text()
            # A writer that was killed leaves half a line.
            torn = content if name == "config.json" else content + '{"schema":1,"step"'
            (parent / f"stage{stage}" / name).write_text(torn)
    (parent / "stage3").mkdir()
    (parent / "stage3" / "metrics.jsonl").touch()
    write_json(tmp_path / "eval" / "summary.json", eval_summary().to_row())
    command = ["report", str(parent), str(tmp_path / "eval"), "--html", str(page)]
    assert main([*command, "--no-thumbnails"]) == 0
    shown = page.read_text(encoding="utf-8")
    assert "Report of 5 runs" in shown
    assert shown.count("no training step on record") == 2


def test_a_page_is_made_without_torch(run: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from avatar_cli.__main__ import main; code = main(sys.argv[1:]);"
        "sys.exit(code or str({'torch', 'matplotlib'} & set(sys.modules) or ''))"
    )
    arguments = ["report", str(run), "--html", str(tmp_path / "r.html"), "--no-thumbnails", "-q"]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )
    assert done.stderr.strip() == ""
