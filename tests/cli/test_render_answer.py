"""Pieces of a completion become styled text, however its tags are cut."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from avatar_cli.render_answer import (
    ANSWER,
    REASONING,
    Styled,
    TagReader,
    given_line,
    print_answer,
    print_styled,
    vote_table,
)
from avatar_core.inference.answer import Given, Vote

TEXT = "<think>I see [red] a < b.</think><answer>3 <b></answer>"
SHOWN = [("I see [red] a < b.", "dim"), ("\n", ""), ("3 <b>", "bold")]


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


def test_every_cut_in_two_gives_the_same() -> None:
    for place in range(len(TEXT) + 1):
        assert styled([TEXT[:place], TEXT[place:]]) == SHOWN
    assert place == len(TEXT)
    assert styled(list(TEXT)) == SHOWN


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("no tags", [("no tags", "")]),
        # Reasoning whose opening tag was part of the prompt: what follows it is the answer.
        ("a</think>b", [("a\n", ""), ("b", ANSWER)]),
        ("<answer>open</ans", [("open</ans", ANSWER)]),
        ("<THINK>x</Think>", [("x", REASONING), ("\n", "")]),
        ("<answer>x</answer>y", [("x", ANSWER), ("y", "")]),
        ("<other>x</other>", [("<other>x</other>", "")]),
        ("", []),
    ],
)
def test_tags_set_the_style(text: str, shown: list[tuple[str, str]]) -> None:
    assert styled([text]) == shown


def test_text_is_shown_as_soon_as_it_can_be_no_tag() -> None:
    reader = TagReader()
    assert list(reader.feed("a <thi")) == [Styled("a ", "")]
    assert list(reader.feed("s")) == []
    # "</answer>" is the longest tag: with nine characters "<this is " cannot become one.
    assert list(reader.feed(" is")) == []
    assert list(reader.feed(" it")) == [Styled("<this is it", "")]
    assert list(reader.rest()) == []


@given(st.lists(st.sampled_from(["<", "</think>", "think>", "answer", "<answer>", "a", "/", ">"])))
@settings(deadline=None)
def test_pieces_may_be_cut_anywhere(pieces: list[str]) -> None:
    assert styled(pieces) == styled(["".join(pieces)])


@given(st.text())
@settings(deadline=None)
def test_no_control_byte_reaches_the_terminal(text: str) -> None:
    reader, stream = TagReader(), io.StringIO()
    screen = Console(file=stream, highlight=False, emoji=False)
    print_styled(screen, iter([*reader.feed(text), *reader.rest()]))
    print_answer(screen, text, text)
    shown = stream.getvalue()
    assert not {c for c in shown if ord(c) < 32 or 127 <= ord(c) < 160} - {"\n", "\t"}


def test_styles_reach_a_terminal_and_long_text_is_not_broken() -> None:
    stream = io.StringIO()
    screen = Console(file=stream, force_terminal=True, color_system="standard", width=20)
    print_answer(screen, "long reasoning " * 3, "[b]three[/b]\x1b[2J")
    printed = stream.getvalue()
    assert "\x1b[2m" + "long reasoning " * 3 in printed
    assert "\x1b[1m[b]three[/b][2J\x1b[0m" in printed


def test_no_reasoning_is_no_empty_line() -> None:
    stream = io.StringIO()
    print_answer(Console(file=stream), "", "three")
    assert stream.getvalue() == "three\n"


def test_what_was_given_is_said_in_words() -> None:
    everything = Given(("text", "frames", "sound"), 8, 3.96, 1234)
    assert given_line(everything) == "given 8 frames, 4.0 s of sound, 1,234 prompt tokens"
    assert (
        given_line(Given(("text",), None, None, 9)) == "given no frames, no sound, 9 prompt tokens"
    )
    assert given_line(Given(("text", "frames"), 1, None, 9)).startswith("given 1 frame, ")


def test_votes_are_shown_as_they_were_cast() -> None:
    stream = io.StringIO()
    votes = [Vote("[red]\nx\x1b", 3, 0.6), Vote("blue", 1, 0.2), Vote(None, 1, 0.2)]
    Console(file=stream, width=80).print(vote_table(votes))
    cells = [line.split("  ") for line in stream.getvalue().splitlines()]
    shown = [[cell.strip() for cell in line if cell.strip()] for line in cells]
    assert ["[red] x", "3", "60.0 %"] in shown
    assert ["blue", "1", "20.0 %"] in shown
    assert ["none stated", "1", "20.0 %"] in shown
