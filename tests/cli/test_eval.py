from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from avatar_cli.__main__ import main
from avatar_cli.options import Output
from avatar_cli.render_eval import show_evaluations
from avatar_core.evaluation.run import Evaluation
from avatar_core.evaluation.tally import summarise
from avatar_core.files import read_json
from tests.eval_rows import eval_row
from tests.run_records import manifest
from tests.tiny_run import tiny_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_run(tmp_path_factory.mktemp("run") / "run"))


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("scenes"))


def cells(printed: str) -> list[list[str]]:
    return [line.split() for line in printed.splitlines()]


def test_list_names_the_benchmarks(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", "list"]) == 0
    shown = cells(capsys.readouterr().out)
    assert ["scenes", "endless"] in [row[:2] for row in shown]
    assert ["mmvu", "625"] in [row[:2] for row in shown]
    assert main(["eval", "list", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    named = {one["name"]: one for one in document["benchmarks"]}
    assert len(named) == 16
    assert named["mmvu"]["published"] == {"baseline": 60.2, "grpo": 64.0, "avatar": 65.6}
    assert named["mmvu"]["subsets"] == ["mc", "all"]
    assert named["scenes"]["published"] is None


def test_list_loads_no_torch() -> None:
    code = (
        "import sys; from avatar_cli.__main__ import main; code = main(['eval', 'list']);"
        "sys.exit(code or str({'torch', 'transformers'} & set(sys.modules) or ''))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""


def test_an_evaluation_prints_its_tables_and_resumes(
    run: str, clips: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    command = ["eval", "scenes", "--model", run, "--data-root", clips, "--limit", "3"]
    command += ["--out", str(out), "--quiet"]
    assert main(command) == 0
    rows = cells(capsys.readouterr().out)
    summary = read_json(out / "summary.json")
    for family, score in summary["groups"]["family"].items():
        shown = f"{100 * score['accuracy']:.1f}"
        assert [*family.split(), str(score["n"]), str(score["correct"]), shown, "%"] in rows
    assert ["items", "3"] in rows
    for status, number in summary["status"].items():
        assert [status, str(number)] in rows
    first = (out / "results.jsonl").read_bytes()
    assert main([*command, "--json", "--baseline", str(out)]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["evaluations"] == [{"directory": str(out), **summary}]
    assert document["gain"]["gain"] == 0.0
    assert (out / "results.jsonl").read_bytes() == first


def test_bad_input_is_one_line_and_writes_nothing(
    run: str, clips: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    mistakes: list[tuple[list[str], str]] = [
        (["scnes"], "'scnes' is not part of avatar"),
        (["scenes", "--prompt", "think"], "scenes has no think prompt"),
        (["scenes", "--subset", "mc"], "scenes has no subsets; leave --subset mc out"),
        (["scenes", "--backend", "openai"], "needs --base-url and --served-model"),
        (["scenes", "--served-model", "x"], "are for --backend openai"),
        (["scenes", "--model", "/nowhere/at/all"], "/nowhere/at/all"),
        (["scenes", "--model", str(tmp_path)], "config.json"),
        (["scenes", "--split", "dev"], "no split 'dev'"),
        (["scenes", "--stage", "4"], "--stage"),
        (["scenes", "--blank", "colour"], "blank"),
        (["scenes", "--batch-size", "many"], "batch_size"),
        (["scenes", "--batch-size", "0"], "batch_size"),
        (["scenes", "--baseline", str(tmp_path)], "holds no results.jsonl"),
        (["scenes", "--baseline", "/nowhere"], "--baseline /nowhere: no such directory"),
        (["scenes", "list"], "'list' is not part of avatar"),
        (["scenes", "--question"], "No such option"),
    ]
    for arguments, message in mistakes:
        given = [*arguments, "--data-root", clips, "--out", str(out), "--limit", "1"]
        assert main(["eval", *given]) == 2
        shown = capsys.readouterr()
        assert shown.out == ""
        assert shown.err.startswith("avatar: ")
        assert shown.err.count("\n") == 1
        assert message in shown.err
    long = "x" * 300
    for flag in ("--model", "--data-root", "--out", "--baseline"):
        assert main(["eval", "scenes", flag, long]) == 2
        shown = capsys.readouterr()
        assert shown.err.startswith(f"avatar: {flag} {long[:80]}: cannot be used as a path")
    assert len(mistakes) == 16
    assert list(tmp_path.iterdir()) == []


def test_missing_data_name_the_tree_that_is_wanted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    (tmp_path / "empty").mkdir()
    for root in ("nowhere", "empty"):
        given = ["--data-root", str(tmp_path / root), "--out", str(out)]
        assert main(["eval", "mmvu", *given]) == 2
        shown = capsys.readouterr()
        assert shown.out == ""
        assert "validation.json" in shown.err
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


def test_memory_that_runs_out_is_exit_code_8(
    run: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def measure(*_: object, **__: object) -> None:
        raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")

    monkeypatch.setattr("avatar_core.evaluation.run.measure", measure)
    assert main(["eval", "scenes", "--model", run, "--out", str(tmp_path / "out")]) == 8
    assert capsys.readouterr().err == (
        f"loading {run}\n"
        "avatar: memory ran out (CUDA out of memory. Tried to allocate 2 GiB); "
        "use a smaller --batch-size or --max-new-tokens\n"
    )


def test_failed_items_show_the_tables_and_exit_3(
    run: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["eval", "scenes", "--model", run, "--data-root", str(tmp_path / "scenes")]
    command += ["--limit", "2", "--out", str(tmp_path / "out"), "--quiet"]
    assert main(command) == 0
    for clip in (tmp_path / "scenes" / "clips").iterdir():
        clip.write_bytes(b"no film")
    capsys.readouterr()
    assert main([*command, "--no-resume"]) == 3
    shown = capsys.readouterr()
    assert ["error", "2"] in cells(shown.out)
    assert "2 error, 0 missing_media of 2 items" in shown.err
    assert main([*command, "--no-resume", "--allow-missing"]) == 0


def test_foreign_text_cannot_reach_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        eval_row("a", True, groups={"fam\x1b[2Jily": "[red]x[/red]\x07"}),
        eval_row("b", False, groups={"fam\x1b[2Jily": "y\u202e"}),
    ]
    summary = summarise(rows, {"a": "a", "b": "b"}, benchmark="scenes", manifest=manifest())
    one = Evaluation(Path("out\x1b[31m"), summary, tuple(rows), {"a": "a", "b": "b"}, None, None)
    show_evaluations([one], None, Output())
    printed = capsys.readouterr().out
    assert "[red]x[/red]" in printed
    assert {c for c in printed if not c.isprintable()} == {"\n"}
