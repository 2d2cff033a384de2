"""What `avatar infer` does with a clip: answer one question, or one after the other."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from avatar_cli.eval_run import UNTRAINED
from avatar_cli.library_loading import libraries
from avatar_cli.options import Output

if TYPE_CHECKING:
    from pathlib import Path

    from avatar_core.inference.session import Session, Turn

REMEDY = "use a smaller --max-frames, --max-pixels, --max-new-tokens or --samples"


def answer(
    settings: dict[str, Any],
    question: str | None,
    interactive: bool,
    stream: bool | None,
    output: Output,
) -> None:
    """Answer a question about a clip, and further ones when asked to.

    Args:
        settings: fields of `InferConfig`; `None` for those that were not given.
        question: what to ask; "-" is read from stdin, `None` asks for questions.
        interactive: ask for further questions.
        stream: show the text while it is made; `None` decides by the terminal.
        output: how to print.
    """
    from avatar_cli.render import note
    from avatar_core.config.inference import InferConfig
    from avatar_core.config.resolve import validate
    from avatar_core.errors import memory_errors
    from avatar_core.files import user_path
    from avatar_core.inference.files import check_question, model_of, reading

    given = {key: value for key, value in settings.items() if value is not None}
    config = validate(InferConfig, {**given, "question": ""})
    for path in (config.video, *config.also):
        check_path(path)
    if config.model is not None:
        user_path(config.model, "--model")
    first = asked(question, interactive, output)
    if first is not None:
        check_question(first)

    with memory_errors(REMEDY), reading(config) as files:
        # They take seconds to load, in which the clip is decoded.
        with libraries(model_of(config), output):
            from avatar_core.inference.session import Session

        session = Session.open(files)
    if files.settings.checkpoint == "tiny":
        note(UNTRAINED, output)
    if first is not None:
        with memory_errors(REMEDY):
            show(session.ask(first), output, stream)
    if interactive or first is None:
        converse(session, output, stream)


def check_path(path: Path) -> None:
    """Raise `UsageError` for a path that names no file."""
    from avatar_core.errors import UsageError
    from avatar_core.files import user_path

    if not path.name:
        raise UsageError("VIDEO names no file; give a video, sound or image")
    if not user_path(path, "VIDEO").exists():
        raise UsageError(f"{path}: no such file; give a video, sound or image")
    if path.is_dir():
        raise UsageError(f"{path}: is a directory; give a video, sound or image")


def asked(question: str | None, interactive: bool, output: Output) -> str | None:
    """The first question; `None` when it is to be asked for.

    Raises:
        UsageError: there is none and nobody to ask, or questions are to be asked for in JSON.
    """
    from avatar_core.errors import UsageError

    if output.as_json and (interactive or question is None):
        raise UsageError("--json prints one answer; give QUESTION and leave out --interactive")
    if interactive and question == "-":
        raise UsageError("--interactive reads stdin itself; give QUESTION, or leave it out")
    if question is None and not interactive and not sys.stdin.isatty():
        raise UsageError(
            "QUESTION is missing; give it, or - to read it from stdin, or use --interactive"
        )
    return sys.stdin.read().strip() if question == "-" else question


def converse(session: Session, output: Output, stream: bool | None) -> None:
    """Answer question after question until the end of stdin, or an empty line on a terminal."""
    from avatar_cli.render import console, note, safe
    from avatar_core.errors import AvatarError, memory_errors

    screen, typed = console(stderr=True), sys.stdin.isatty()
    if typed:
        note("ask about the clip; an empty line ends", output)
    while True:
        if typed:
            screen.print("? ", end="")
        line = sys.stdin.readline()
        question = line.strip()
        if not line or (typed and not question):
            return
        if not question:
            continue
        try:
            with memory_errors(REMEDY):
                show(session.ask(question), output, stream)
        except AvatarError as error:
            screen.print(safe(f"avatar: {error}"), soft_wrap=True)


def show(turn: Turn, output: Output, stream: bool | None) -> None:
    """Print an answer as JSON, piece by piece, or whole, with what the model was given."""
    from avatar_cli.render import console, emit_json, note
    from avatar_cli.render_answer import (
        TagReader,
        given_line,
        print_answer,
        print_styled,
        vote_table,
    )
    from avatar_core.inference.session import finish

    screen = console()
    streaming = not output.as_json and (screen.is_terminal if stream is None else stream)
    reader = TagReader()
    note(given_line(turn.given), output)

    def take(piece: str) -> None:
        if streaming:
            print_styled(screen, reader.feed(piece))

    answered = finish(turn.pieces, take)
    if output.as_json:
        emit_json(answered.to_document())
    elif streaming:
        print_styled(screen, reader.rest())
        screen.print()
    else:
        print_answer(screen, answered.reasoning, answered.answer)
    if answered.votes and not output.as_json:
        screen.print(vote_table(answered.votes))
    if answered.truncated:
        note("the text stopped at the length limit; raise --max-new-tokens for more", output)
