from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from avatar_cli.__main__ import main
from tests.media.clips import tone, write_clip
from tests.tiny_run import tiny_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_run(tmp_path_factory.mktemp("run") / "run"))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", sound=tone(2.0)))


def test_json_holds_the_answer(run: str, clip: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["infer", clip, "What is this?", "--model", run, "--json", "-q"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document.keys() >= {"answer", "reasoning", "text", "modalities", "frames", "seconds"}
    assert document["modalities"] == ["text", "frames", "sound"]
    assert document["frames"] == 4


def test_streamed_and_whole_text_agree(
    run: str, clip: str, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = []
    for flag in ("--stream", "--no-stream"):
        assert main(["infer", clip, "What?", "--model", run, flag, "--quiet"]) == 0
        printed.append(capsys.readouterr().out)
    # An untrained model writes no tags, so all of its text is the answer.
    assert "".join(printed[0].split()) == "".join(printed[1].split()) != ""


def test_a_text_cut_short_is_said_in_text_and_json(
    run: str, clip: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for samples in ("1", "3"):
        command = ["infer", clip, "What?", "--model", run, "--samples", samples]
        command += ["--max-new-tokens", "1", "--no-stream"]
        assert main(command) == 0
        assert "stopped at the length limit" in capsys.readouterr().err
        assert main([*command, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["truncated"] is True


def test_bad_input_is_one_line_and_exit_code_2(
    run: str,
    clip: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    silent = str(write_clip(tmp_path / "silent.mp4"))
    (tmp_path / "notes.txt").write_text("no film")
    write_clip(tmp_path / "sound.m4a", frames=0, sound=tone(1.0)).rename(tmp_path / "sound.mp4")
    mistakes = [
        ([clip, " "], "question is empty"),
        ([str(tmp_path / "gone.mp4"), "What?"], "no such file"),
        ([str(tmp_path / "notes.txt"), "What?"], "not a media file"),
        ([str(tmp_path), "What?"], "is a directory"),
        ([silent, "What?", "--audio", "on"], "has no sound track"),
        ([str(tmp_path / "sound.mp4"), "What?", "--audio", "off"], "holds sound and no picture"),
        ([clip, "What?", "--fps", "0"], "fps"),
        ([clip, "What?", "--start", "2", "--end", "1"], "--end 1 is not after --start 2"),
        ([clip, "What?", "--model", "/nowhere/at/all"], "/nowhere/at/all"),
        ([clip, "What?", "--model", "x" * 300], "cannot be used as a path (File name too long)"),
        (["x" * 300, "What?"], "cannot be used as a path (File name too long)"),
        ([clip, "What?", "--also", str(tmp_path / "gone.mp4")], "gone.mp4: no such file"),
        ([clip], "QUESTION is missing"),
        ([], "VIDEO is missing"),
        ([clip, "What?", "--out", "x.jsonl"], "--out is for --batch"),
        ([clip, "What?", "--no-resume"], "--resume is for --batch"),
        ([clip, "What?", "--interactive", "--json"], "--json prints one answer"),
        ([clip, "-", "--interactive"], "--interactive reads stdin itself"),
        (["--batch", silent], "--batch needs --out"),
        ([clip, "--batch", silent], "VIDEO is for one clip"),
        (["--batch", silent, "--samples", "2"], "--samples is for one clip"),
        (["--batch", str(tmp_path / "gone"), "--out", "x.jsonl"], "gone: no such file"),
    ]
    for arguments, message in mistakes:
        model = [] if "--model" in arguments else ["--model", run]
        assert main(["infer", *arguments, *model]) == 2
        shown = capsys.readouterr()
        assert shown.out == ""
        assert shown.err.startswith("avatar: ")
        assert shown.err.count("\n") == 1
        assert message in shown.err
    assert len(mistakes) == 22
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "notes.txt",
        "silent.mp4",
        "sound.mp4",
    ]


def test_memory_that_runs_out_is_exit_code_8(
    run: str, clip: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("avatar_core.inference.session.load_policy", load)
    assert main(["infer", clip, "What?", "--model", run]) == 8
    expected = "avatar: memory ran out (MemoryError); use a smaller --max-frames, --max-pixels, "
    assert capsys.readouterr().err.startswith(f"loading {run}\n{expected}")
