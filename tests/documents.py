"""Reads the documents: their blocks, and whether the command lines in them are understood."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any, NamedTuple

import typer

from avatar_cli.app import app
from avatar_core.config.resolve import resolve_train
from avatar_core.config.stages import resolve_stages
from tests.test_readme import parse

ROOT = Path(__file__).resolve().parent.parent
OTHER_PROGRAMS = frozenset({"make", "source", "python", "vllm", "transformers", "tensorboard"})
"""What a line may begin with besides `avatar`; such lines are not run here."""
ASSIGNMENT = re.compile(r"[A-Z][A-Z0-9_]*=.*")
LAUNCHERS = {"accelerate": "avatar_cli", "python": "avatar_cli"}
"""Programs that start the module of the command line, whose arguments follow its name."""


class Block(NamedTuple):
    """A fenced block of a document."""

    language: str
    """What the fence says it is."""
    text: str
    """What is between the fences."""


def blocks(document: str) -> list[Block]:
    """Every fenced block, in order; a fence may be indented in a list."""
    found = re.findall(r"^( *)```(\w*)\n(.*?)^\1```$", document, re.MULTILINE | re.DOTALL)
    return [Block(language, text) for _, language, text in found]


def shell_lines(document: str) -> list[list[str]]:
    """Words of the lines of the `sh` blocks; comments are left out, continued lines are one."""
    texts = [
        block.text.replace("\\\n", " ") for block in blocks(document) if block.language == "sh"
    ]
    lines = [shlex.split(line, comments=True) for text in texts for line in text.split("\n")]
    return [line for line in lines if line]


def arguments_of(words: list[str]) -> list[str] | None:
    """The arguments that a line gives to `avatar`; `None` for a line of another program."""
    own = list(words)
    while own and (ASSIGNMENT.fullmatch(own[0]) or own[0] == "export"):
        own.pop(0)
    if own and own[0] in LAUNCHERS and LAUNCHERS[own[0]] in own:
        return own[own.index(LAUNCHERS[own[0]]) + 1 :]
    return own[1:] if own and own[0] == "avatar" else None


def check_line(words: list[str]) -> bool:
    """Refuse a line that would not be understood; says whether it is one of `avatar`.

    Of `avatar train` the settings are resolved as well, from the files that the line names.
    """
    arguments = arguments_of(words)
    if arguments is None:
        rest = [word for word in words if not ASSIGNMENT.fullmatch(word)]
        assert not rest or rest[0] in OTHER_PROGRAMS | {"export"}, words
        return False
    if arguments[0].startswith("-"):
        own = typer.main.get_command(app).params
        assert arguments[0] in {name for parameter in own for name in parameter.opts}, words
        return True
    parsed = parse(arguments)
    if arguments[0] == "train":
        check_settings(parsed)
    return True


def check_settings(parsed: dict[str, Any]) -> None:
    """Refuse settings of `avatar train` that are unknown or out of range."""
    file = parsed["config"]
    given = {
        "preset": parsed["preset"],
        # A file of the reader's own is not here.
        "file": ROOT / file if file and (ROOT / file).is_file() else None,
        "assignments": parsed["assignments"] or (),
        "flags": {name: parsed[name] for name in ("model", "steps", "seed")},
    }
    if parsed["stage"] == "all":
        resolve_stages(**given)
    else:
        stage = parsed["stage"]
        own_file = bool(file) and given["file"] is None and stage is None
        resolve_train(stage=1 if own_file else stage and int(stage), **given)
