from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from avatar_cli.__main__ import main
from avatar_cli.render_answer import Styled, TagReader, print_answer, print_styled
from tests.media.clips import tone, write_clip
from tests.tiny_run import NUMPY_COPY, tiny_run

pytestmark = pytest.mark.filterwarnings(NUMPY_COPY)

TEXT = "<think>I see [red] a < b.</think><answer>3 <b></answer>"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_run(tmp_path_factory.mktemp("run") / "run"))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", sound=tone(2.0)))


def styled(pieces: list[str]) -> list[tuple[str, str]]:
    """What a reader shows for pieces, neighbours of one style joined."""
    reader = TagReader()
    joined: list[tuple[str, str]] = []
    for text, style in [*(s for piece in pieces for s in reader.feed(piece)), *reader.rest()]:
        if joined and joined[-1][1] == style:
            joined[-1] = (joined[-1][0] + text, style)
        else:
            joined.append((text, style))
    return joined


def test_reasoning_is_dim_and_the_answer_bold() -> None:
    expected = [("I see [red] a < b.", "dim"), ("\n", ""), ("3 <b>", "bold")]
    assert styled([TEXT]) == expected
    assert styled(list(TEXT)) == expected
    assert styled(["no tags"]) == [("no tags", "")]
    assert styled(["a</think>b"]) == [("a\n", ""), ("b", "bold")]
    assert styled(["<answer>open</ans"]) == [("open</ans", "bold")]


@given(st.lists(st.sampled_from(["<", "</think>", "think>", "answer", "<answer>", "a", "/", ">"])))
@settings(deadline=None)
def test_pieces_may_be_cut_anywhere(pieces: list[str]) -> None:
    assert styled(pieces) == styled(["".join(pieces)])


@given(st.text())
@settings(deadline=None)
def test_no_control_byte_reaches_the_terminal(text: str) -> None:
    for show in (
        lambda screen: print_styled(screen, pieces(text)),
        lambda screen: print_answer(screen, text, text),
    ):
        stream = io.StringIO()
        show(Console(file=stream, highlight=False, emoji=False))
        assert not {c for c in stream.getvalue() if ord(c) < 32 or 127 <= ord(c) < 160} - {
            "\n",
            "\t",
        }


def pieces(text: str) -> Iterator[Styled]:
    reader = TagReader()
    yield from reader.feed(text)
    yield from reader.rest()


def test_styles_reach_a_terminal() -> None:
    stream = io.StringIO()
    screen = Console(file=stream, force_terminal=True, color_system="standard", width=20)
    print_answer(screen, "long reasoning " * 3, "[b]three[/b]\x1b[2J")
    printed = stream.getvalue()
    assert "\x1b[2m" + "long reasoning " * 3 in printed
    assert "\x1b[1m[b]three[/b][2J\x1b[0m" in printed


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
    run: str, clip: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    silent = str(write_clip(tmp_path / "silent.mp4"))
    (tmp_path / "notes.txt").write_text("no film")
    write_clip(tmp_path / "sound.m4a", frames=0, sound=tone(1.0)).rename(tmp_path / "sound.mp4")
    mistakes = [
        ([clip, " "], "question is empty"),
        ([str(tmp_path / "gone.mp4"), "What?"], "no such file"),
        ([str(tmp_path / "notes.txt"), "What?"], "not a media file"),
        ([str(tmp_path), "What?"], "not a regular file"),
        ([silent, "What?", "--audio", "on"], "has no sound track"),
        ([str(tmp_path / "sound.mp4"), "What?", "--audio", "off"], "holds sound and no picture"),
        ([clip, "What?", "--fps", "0"], "fps"),
        ([clip, "What?", "--start", "2", "--end", "1"], "--end 1 is not after --start 2"),
        ([clip, "What?", "--model", "/nowhere/at/all"], "/nowhere/at/all"),
        ([clip, "What?", "--model", "x" * 300], "cannot be used as a path (File name too long)"),
        (["x" * 300, "What?"], "cannot be used as a path (File name too long)"),
    ]
    for arguments, message in mistakes:
        model = [] if "--model" in arguments else ["--model", run]
        assert main(["infer", *arguments, *model]) == 2
        shown = capsys.readouterr()
        assert shown.out == ""
        assert shown.err.startswith("avatar: ")
        assert shown.err.count("\n") == 1
        assert message in shown.err
    assert len(mistakes) == 11
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

    monkeypatch.setattr("avatar_core.inference.load_policy", load)
    assert main(["infer", clip, "What?", "--model", run]) == 8
    expected = "avatar: memory ran out (MemoryError); use a smaller --max-frames, --max-pixels, "
    assert capsys.readouterr().err.startswith(expected)
