"""A file of questions from the command line: figures, exit codes, what is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from avatar_cli.__main__ import main
from tests.media.clips import tone, write_clip
from tests.tiny_run import tiny_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_run(tmp_path_factory.mktemp("run") / "run"))


def test_a_file_of_questions(run: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_clip(tmp_path / "clip.mp4", sound=tone(2.0))
    rows = [{"video": "clip.mp4", "question": question} for question in ("What?", "Why?")]
    file, out = tmp_path / "rows.jsonl", tmp_path / "out" / "answers.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = ["infer", "--batch", str(file), "--out", str(out), "--model", run]
    assert main(command) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert said == f"answered 2 of 2 rows; answers in {out}"
    assert [json.loads(line)["question"] for line in out.read_text().splitlines()] == [
        "What?",
        "Why?",
    ]
    assert main([*command, "--json"]) == 0
    figures = {"rows": 2, "answered": 2, "failed": 0, "resumed": 2, "scored": 0}
    figures |= {"accuracy": None, "out": str(out)}
    assert json.loads(capsys.readouterr().out) == figures
    with file.open("a") as log:
        log.write('{"video": "gone.mp4", "question": "What?"}\n')
    assert main(command) == 3
    shown = capsys.readouterr()
    expected = f"answered 2 of 3 rows, 2 of them before; 1 failed; answers in {out}"
    assert " ".join(shown.out.split()) == expected
    loading, failed = shown.err.splitlines()
    assert loading == f"loading {run}"
    assert failed.startswith("avatar: 1 of 3 rows failed, more than 1 %; the first: ")
    assert main([*command, "--max-new-tokens", "2"]) == 2
    assert "of another model or of other settings" in capsys.readouterr().err


def test_untrained_weights_of_the_environment_are_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rows.jsonl").write_text('{"video": "gone.mp4", "question": "What?"}\n')
    monkeypatch.setenv("AVATAR_MODEL", "tiny")
    command = ["infer", "--batch", str(tmp_path / "rows.jsonl"), "--out", str(tmp_path / "a.jsonl")]
    assert main(command) == 3
    assert "tiny is untrained" in capsys.readouterr().err


def test_answers_to_rows_with_a_solution_are_scored(
    run: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_clip(tmp_path / "clip.mp4", sound=tone(2.0))
    asked = {"video": "clip.mp4", "question": "How many?"}
    rows = [asked | {"solution": "3", "problem_type": "numerical", "id": "n"}, asked]
    file, out = tmp_path / "rows.jsonl", tmp_path / "answers.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = ["infer", "--batch", str(file), "--out", str(out), "--model", run]
    assert main(command) == 0
    capsys.readouterr()
    # What the first row's answer is worth, put in place of what untrained weights wrote.
    for text, share in (("<answer>3</answer>", "100.0"), ("<answer>4</answer>", "0.0")):
        answers = [json.loads(line) for line in out.read_text().splitlines()]
        answers[0]["text"] = text
        out.write_text("".join(json.dumps(row) + "\n" for row in answers))
        assert main(command) == 0
        said = capsys.readouterr().out.splitlines()[-1]
        assert said == f"accuracy {share} % over 1 row with a solution"
