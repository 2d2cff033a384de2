"""What README.md and the other documents tell a user is understood, true, and works."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from avatar_cli.__main__ import ParserError, main
from avatar_cli.app import app
from avatar_core import errors
from tests.media.clips import tone, write_clip
from tests.run_records import group_row, metrics_row, write_run

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def fenced(language: str) -> list[str]:
    """Contents of the fenced blocks of README.md in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def shell_lines() -> list[list[str]]:
    """Words of every line of the shell blocks, comments left out."""
    words = [
        shlex.split(line, comments=True) for block in fenced("sh") for line in block.split("\n")
    ]
    return [line for line in words if line]


def commands(*start: str) -> list[list[str]]:
    """Arguments of the lines that begin with `avatar` and these words."""
    lines = [words[1:] for words in shell_lines() if words[0] == "avatar"]
    return [words for words in lines if words[: len(start)] == list(start)]


def parse(arguments: list[str]) -> dict[str, Any]:
    """What a command line means to its subcommand, which is not run; a mistake raises."""
    command, name = typer.main.get_command(app), "avatar"
    context = None
    rest = list(arguments)
    while hasattr(command, "commands"):
        context = command.context_class(command, info_name=name, parent=context)
        name = rest.pop(0)
        assert name in command.commands, arguments
        command = command.commands[name]
    return dict(command.make_context(name, rest, parent=context).params)


def subcommand(arguments: list[str]) -> list[str]:
    """The leading words that name a command: `train`, or `replay stats`."""
    return arguments[: 2 if arguments[0] == "replay" else 1]


def help_of(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert main([*subcommand(arguments), "--help"]) == 0
    return capsys.readouterr().out


def knows(help_text: str, flag: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(flag)}(?![\w-])", help_text) is not None


def test_every_line_is_a_command_of_this_project() -> None:
    first = [words[0] for words in shell_lines()]
    assert set(first) == {"make", "source", "avatar"}
    assert first.count("avatar") >= 6


def test_every_command_line_is_understood_and_every_flag_is_in_its_help(
    capsys: pytest.CaptureFixture[str],
) -> None:
    flags = 0
    for arguments in commands():
        parse(arguments)
        shown = help_of(arguments, capsys)
        for word in arguments:
            if word.startswith("-"):
                assert knows(shown, word), arguments
                flags += 1
    assert len(commands()) >= 6
    assert flags >= 5


def test_a_command_line_that_would_fail_is_found() -> None:
    wrong = [
        ["infer", "clip.mp4", "What?", "--sample", "3"],
        ["train", "--stages", "1"],
        ["report"],
        ["train", "--stage", "9"],
    ]
    for arguments in wrong:
        with pytest.raises(ParserError):
            parse(arguments)
    assert parse(["infer", "clip.mp4", "What?", "--samples", "3"])["samples"] == 3


def test_the_table_of_commands_agrees_with_their_help(capsys: pytest.CaptureFixture[str]) -> None:
    rows = re.findall(r"^\| `avatar ([^`]+)` \|(.*)\|$", README, re.MULTILINE)
    flags = 0
    for line, explanation in rows:
        shown = help_of(line.split(), capsys)
        for flag in re.findall(r"(?<![\w-])--?[a-z][a-z-]*", f"{line} {explanation}"):
            assert knows(shown, flag), (line, flag)
            flags += 1
    assert [line.split()[0] for line, _ in rows] == ["train", "replay", "eval", "infer", "report"]
    assert flags >= 5


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))
    prose = README + (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`make (\w+)", prose))
    named |= {words[1] for words in shell_lines() if words[0] == "make"}
    assert named >= {"demo", "test"}
    assert named <= targets
    # CI runs what the README tells a user to run.
    assert re.search(r"^make test\b", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)


def test_links_between_documents_lead_somewhere() -> None:
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    links = 0
    for document in documents:
        for target in re.findall(r"\]\(([^)#:\s]+)\)", document.read_text(encoding="utf-8")):
            assert (document.parent / target).exists(), (document.name, target)
            links += 1
    assert len(documents) >= 8
    assert links >= 5


def test_the_table_of_exit_codes_is_that_of_the_error_types() -> None:
    text = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    documented = {
        name: codes
        for codes, names in re.findall(r"^\| ([\d, ]+) \| ([^|]*) \|", text, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", names)
    }
    kinds = {
        name: kind
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.AvatarError)
        if kind is not errors.AvatarError
    }
    assert documented.keys() == kinds.keys()
    # A signal's code is that of its number.
    assert documented.pop("Stopped") == "130, 143"
    assert documented == {name: str(kinds[name].exit_code) for name in documented}
    assert len(documented) >= 12


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the files that the README's lines name, the model apart."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AVATAR_CACHE", str(tmp_path / "cache"))
    (row,) = fenced("json")
    for clip in json.loads(row)["videos"]:
        (tmp_path / clip).parent.mkdir(parents=True, exist_ok=True)
        write_clip(tmp_path / clip, sound=tone(2.0))
    write_clip(tmp_path / "video.mp4", sound=tone(2.0))
    (tmp_path / "questions.jsonl").write_text(row, encoding="utf-8")
    return tmp_path


def test_runs_are_reported_as_the_readme_says(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run(place / "runs" / "demo", [metrics_row()], [group_row([1.0, 0.0], [0.7, -0.7])])
    lines = [*commands("report"), *commands("replay")]
    for arguments in lines:
        assert main(arguments) == 0
        assert capsys.readouterr().out.count("\n") > 5
    assert len(lines) >= 2


def test_training_on_the_embedded_default_passes_its_dry_run(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [arguments for arguments in commands("train") if "--model" not in arguments]
    before = sorted(place.rglob("*"))
    for arguments in lines:
        assert main([*arguments, "--dry-run"]) == 0
        assert "every input is sound" in capsys.readouterr().err
    assert sorted(place.rglob("*")) == before
    assert len(lines) >= 1


@pytest.mark.slow
def test_lines_that_need_a_model_run_on_an_untrained_one(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Here and not above: it loads torch, which the quick tests of this file do without.
    from tests.tiny_run import tiny_run

    tiny_run(place / "runs" / "demo")
    (checkpoint,) = (place / "runs" / "demo" / "checkpoints").iterdir()
    (place / "DIR").symlink_to(checkpoint)
    # The last of two equal options counts, and two items show as much as two hundred.
    lines = [[*arguments, "--limit", "2"] for arguments in commands("eval")]
    lines += commands("infer")
    lines += [[*line, "--dry-run"] for line in commands("train") if "--model" in line]
    for arguments in lines:
        assert main([*arguments, "--quiet"]) == 0, capsys.readouterr().err
        assert capsys.readouterr().out != ""
    assert len(lines) >= 3
