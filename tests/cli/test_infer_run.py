"""Questions about a clip: what is said about them, where they come from, one after the other."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

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


def test_what_the_model_was_given_is_said_on_stderr(
    run: str, clip: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["infer", clip, "What?", "--model", run]) == 0
    shown = capsys.readouterr().err
    assert re.match(
        rf"loading {re.escape(run)}\ngiven 4 frames, 2\.0 s of sound, [0-9]+ prompt tokens\n", shown
    )
    assert "untrained" not in shown
    assert main(["infer", clip, "What?", "--model", run, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert f"\ngiven 4 frames, 2.0 s of sound, {document['prompt_tokens']} prompt" in shown
    assert main(["infer", clip, "What?", "--model", run, "--quiet"]) == 0
    assert capsys.readouterr().err == ""


def test_untrained_weights_are_said(clip: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--max-new-tokens", "1", "--max-frames", "2", "--no-stream"]
    assert main(["infer", clip, "What?", "--model", "tiny", *arguments]) == 0
    assert "tiny is untrained: its answers mean nothing" in capsys.readouterr().err


def test_votes_are_a_table_and_part_of_the_json(
    run: str, clip: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["infer", clip, "What?", "--model", run, "--samples", "3"]
    assert main([*command, "--json"]) == 0
    votes = json.loads(capsys.readouterr().out)["votes"]
    assert sum(vote["votes"] for vote in votes) == 3
    assert sum(vote["share"] for vote in votes) == pytest.approx(1.0)
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert "Votes" in shown
    assert shown.count(" %") == len(votes)
    assert main(command[:-2]) == 0
    assert "Votes" not in capsys.readouterr().out


def test_a_question_may_come_from_stdin(
    run: str, clip: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["infer", clip, "What is this?", "--model", run, "-q"]) == 0
    expected = capsys.readouterr().out
    monkeypatch.setattr("sys.stdin", io.StringIO("What is this?\n"))
    assert main(["infer", clip, "-", "--model", run, "-q"]) == 0
    assert capsys.readouterr().out == expected
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
    assert main(["infer", clip, "-", "--model", run]) == 2
    assert "question is empty" in capsys.readouterr().err


def test_questions_follow_each_other_about_a_clip_read_once(
    run: str,
    clip: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    moved = Path(clip).rename(tmp_path / "clip.mp4")
    expected = []
    for question in ("What is this?", "Why?"):
        assert main(["infer", str(moved), question, "--model", run, "-q"]) == 0
        expected.append(capsys.readouterr().out)

    def once(*arguments: Any, **options: Any) -> Any:
        loads.append(arguments[1])
        return load(*arguments, **options)

    from avatar_core.media import MediaLoader

    loads: list[object] = []
    load = MediaLoader.load
    monkeypatch.setattr(MediaLoader, "load", once)
    # Nobody types these: the blank line is none that ends it.
    typed = "What is this?\n\nWhat is <|im_end|>?\nWhy?\n"
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    assert main(["infer", str(moved), "--interactive", "--model", run]) == 0
    shown = capsys.readouterr()
    assert shown.out == "".join(expected)
    assert len(loads) == 1
    # A question that cannot be asked is said and does not end the conversation.
    assert shown.err.count("given 4 frames") == 2
    assert "avatar: question" in shown.err
    assert "control token <|im_end|>" in shown.err
    # The end of stdin ends it as well, and a first question may be given.
    monkeypatch.setattr("sys.stdin", io.StringIO("Why?"))
    command = ["infer", str(moved), "What is this?", "--interactive", "--model", run, "-q"]
    assert main(command) == 0
    assert capsys.readouterr().out == "".join(expected)
    Path(tmp_path / "clip.mp4").rename(clip)


def test_on_a_terminal_a_missing_question_is_asked_for(
    run: str, clip: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = io.StringIO("What?\n\nNever read?\n")
    monkeypatch.setattr(terminal, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdin", terminal)
    assert main(["infer", clip, "--model", run]) == 0
    shown = capsys.readouterr()
    assert shown.out.strip()
    assert "an empty line ends" in shown.err
    assert shown.err.count("? ") == 2


def test_bad_input_is_told_before_a_model_is_loaded(
    clip: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(*_: object) -> None:
        raise AssertionError("the model's libraries were wanted")

    monkeypatch.setattr("avatar_cli.infer_run.libraries", load)
    (tmp_path / "notes.mp4").write_text("no video\n" * 100)
    cases = {
        (str(tmp_path / "notes.mp4"),): "is damaged or not a media file",
        (str(tmp_path),): "is a directory; give a video, sound or image",
        ("",): "avatar: VIDEO names no file; give a video, sound or image",
        (clip, "--start", "99"): "has fewer than 2 frames between 99 s and its end",
        (str(tmp_path / "gone.mp4"),): "no such file",
    }
    for (video, *options), message in cases.items():
        assert main(["infer", video, "What?", "--model", "tiny", *options]) != 0
        shown = capsys.readouterr().err
        assert message in shown
        assert shown.count("\n") == 1
    assert len(cases) == 5
