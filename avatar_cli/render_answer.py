"""What `avatar infer` prints: reasoning dimmed, answer bold, no tags, no control characters.

Besides it says what the model was given, and how several draws voted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich.console import Console
from rich.table import Table
from rich.text import Text

from avatar_cli.render import count, percent, safe, table_of
from avatar_cli.text import one_line, plain
from avatar_core.inference.answer import Given, Vote
from avatar_core.plural import counted

REASONING = "dim"
ANSWER = "bold"

_TAG = re.compile(r"<(/?)(think|answer)>", re.IGNORECASE)
_LONGEST_TAG = len("</answer>")
_STYLE = {"think": REASONING, "/think": ANSWER, "answer": ANSWER, "/answer": ""}


class Styled(NamedTuple):
    """A piece of text and how it is shown."""

    text: str
    """Without tags."""
    style: str
    """`REASONING`, `ANSWER`, or empty for neither."""


class TagReader:
    """Turns pieces of a completion into styled text; a tag may be spread over several pieces."""

    def __init__(self) -> None:
        self._waiting = ""
        self._style = ""

    def feed(self, piece: str) -> Iterator[Styled]:
        """Give what can be shown now; the start of what may become a tag waits."""
        self._waiting += piece
        while match := _TAG.search(self._waiting):
            yield from self._shown(self._waiting[: match.start()])
            self._waiting = self._waiting[match.end() :]
            tag = f"{match[1]}{match[2]}".casefold()
            if tag == "/think":
                yield Styled("\n", "")
            self._style = _STYLE[tag]
        opened = self._waiting.rfind("<")
        if opened < 0 or len(self._waiting) - opened >= _LONGEST_TAG:
            opened = len(self._waiting)
        ready, self._waiting = self._waiting[:opened], self._waiting[opened:]
        yield from self._shown(ready)

    def rest(self) -> Iterator[Styled]:
        """Give what still waits, at the end of the completion."""
        yield from self._shown(self._waiting)
        self._waiting = ""

    def _shown(self, text: str) -> Iterator[Styled]:
        if text:
            yield Styled(text, self._style)


def print_styled(screen: Console, pieces: Iterator[Styled]) -> None:
    """Print pieces where the cursor stands."""
    for text, style in pieces:
        screen.print(Text(plain(text), style), end="", soft_wrap=True)


def print_answer(screen: Console, reasoning: str, answer: str) -> None:
    """Print a finished answer below its reasoning."""
    if reasoning:
        screen.print(safe(reasoning), style=REASONING, soft_wrap=True)
    screen.print(safe(answer), style=ANSWER, soft_wrap=True)


def given_line(given: Given) -> str:
    """Say what the model was given.

    >>> given_line(Given(("text", "frames", "sound"), 8, 3.96, 1234))
    'given 8 frames, 4.0 s of sound, 1,234 prompt tokens'
    >>> given_line(Given(("text", "frames"), 1, None, 40))
    'given 1 frame, no sound, 40 prompt tokens'
    """
    frames = "no frames" if given.frames is None else counted(given.frames, "frame")
    heard = given.sound_seconds
    sound = "no sound" if heard is None else f"{heard:.1f} s of sound"
    return f"given {frames}, {sound}, {count(given.prompt_tokens)} prompt tokens"


def vote_table(votes: Sequence[Vote]) -> Table:
    """Show how often each answer was drawn, the one that is given first."""
    table = table_of("Votes", "answer", "votes", "share")
    for column in table.columns[1:]:
        column.no_wrap = True
    for place, (answer, number, share) in enumerate(votes):
        label = Text("none stated", REASONING) if answer is None else Text(one_line(answer))
        if place == 0 and answer is not None:
            label.stylize(ANSWER)
        table.add_row(label, count(number), percent(share))
    return table
