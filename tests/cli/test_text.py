from __future__ import annotations

import io
import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from avatar_cli.render import safe
from avatar_cli.text import one_line, plain


def test_control_sequences_lose_their_power() -> None:
    # Clear screen, a link (OSC 8), the clipboard (OSC 52), a one-byte CSI, a bell, a backspace.
    hostile = "\x1b[2J\x1b]8;;x\x07a\x1b]52;c;eA==\x07\x9b31m\x08b\x7f\u202ec\u2066"
    assert plain(hostile) == "[2J]8;;xa]52;c;eA==31mbc"


def test_newlines_and_tabs_stay_and_one_line_folds_them() -> None:
    assert plain("a\n\tb") == "a\n\tb"
    assert one_line("  a\r\n\t b\x85c ") == "a bc"


@given(st.text())
def test_no_control_character_passes(text: str) -> None:
    kept = plain(text)
    assert not [c for c in kept if unicodedata.category(c) in {"Cc", "Cs"} and c not in "\n\t"]
    kept.encode()


@given(st.text(alphabet=st.sampled_from("[]/\\ abredlink=:\n")))
def test_markup_of_a_model_prints_as_it_is(text: str) -> None:
    stream = io.StringIO()
    screen = Console(file=stream, width=10_000, emoji=True)
    screen.print(safe(text), end="")
    assert stream.getvalue() == plain(text)
