from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from avatar_cli import render
from avatar_cli.options import Output
from avatar_cli.render import count, decimal, emit_json, note, percent, progress_bar, table_of


def test_numbers_are_shown_with_fixed_decimals() -> None:
    assert [percent(0.12345), percent(1.0), percent(0.0), percent(None)] == [
        "12.3 %",
        "100.0 %",
        "0.0 %",
        "-",
    ]
    assert [decimal(0.5), decimal(-0.0001), decimal(1234.5, 1), decimal(None)] == [
        "0.500",
        "0.000",
        "1234.5",
        "-",
    ]
    assert [count(0), count(1234567), count(None)] == ["0", "1,234,567", "-"]


def test_json_is_one_ascii_document(capsys: pytest.CaptureFixture[str]) -> None:
    emit_json({"text": "\x1b[31mé"})
    printed = capsys.readouterr().out
    assert printed.isascii()
    assert "\x1b" not in printed
    assert json.loads(printed) == {"text": "\x1b[31mé"}
    with pytest.raises(ValueError, match="JSON"):
        emit_json({"x": float("nan")})


def test_progress_is_silent_when_piped(capsys: pytest.CaptureFixture[str]) -> None:
    for output in (Output(), Output(quiet=True)):
        with progress_bar(output) as bar:
            task = bar.add_task("steps", total=3, note="")
            bar.update(task, advance=1, note="reward 0.5")
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "")


def test_a_narrow_terminal_keeps_the_step_and_cuts_the_note(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = io.StringIO()
    narrow = Console(file=stream, width=80, force_terminal=True, color_system=None)
    monkeypatch.setattr(render, "console", lambda **_: narrow)
    with progress_bar(Output()) as bar:
        bar.add_task("stage 1", total=150, completed=37, note="reward 0.66, " * 9)
        bar.refresh()
    assert " 37/150 0:00:00 -:--:-- reward" in stream.getvalue()
    assert "…" in stream.getvalue()


def test_a_note_goes_to_stderr_unless_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    note("a [b] \x1b[31m" + "long " * 30, Output())
    note("never", Output(quiet=True))
    shown = capsys.readouterr()
    # One line whatever its length, markup as it stands, and no control character.
    assert shown.out == ""
    assert shown.err == "a [b] [31m" + "long " * 30 + "\n"


def test_a_table_folds_its_names_and_keeps_its_figures_to_the_right() -> None:
    table = table_of("Title", "name", "a", "b")
    table.add_row("x" * 40, "1", "20")
    table.caption = "below"
    screen = Console(width=30, file=io.StringIO(), record=True)
    screen.print(table)
    lines = [line.rstrip() for line in screen.export_text().splitlines()]
    assert lines[0] == "Title"
    assert lines[-1] == "below"
    assert sum(line.count("x") for line in lines) == 40
    assert [line.split()[1:] for line in lines if "20" in line] == [["1", "20"]]
