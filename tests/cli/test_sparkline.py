"""Bars of a sparkline, and what stands for them where they cannot be shown."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.table import Table

from avatar_cli.sparkline import ASCII_BARS, BARS, Sparkline, drawn


def test_values_are_bars_between_the_least_and_the_greatest() -> None:
    # Eight bars of width 1 over 0 to 8; the greatest is in the last one.
    assert drawn([0.0, 0.9, 1.0, 3.5, 8.0]) == "▁▁▂▄█"
    assert drawn([3.0, 3.0]) == "▅▅"
    assert drawn([None, 1.0, None, 2.0]) == " ▁ █"
    assert drawn([]) == drawn([], ASCII_BARS) == ""
    assert len(BARS) == len(ASCII_BARS) == 8


@given(st.lists(st.none() | st.floats(-1e9, 1e9), max_size=30))
def test_every_value_is_one_character(values: list[float | None]) -> None:
    assert len(drawn(values)) == len(values)
    assert drawn(values).count(" ") == values.count(None)


def shown(encoding: str) -> str:
    table = Table(box=None)
    table.add_row("reward", Sparkline([0.0, None, 1.0]))
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding)
    Console(file=stream, width=30).print(table)
    stream.flush()
    return raw.getvalue().decode(encoding)


def test_a_terminal_without_the_bars_gets_plain_characters() -> None:
    assert "▁ █" in shown("utf-8")
    assert "_ #" in shown("ascii")
    assert "_ #" in shown("latin-1")
