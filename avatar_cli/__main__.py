"""Entry point: runs the program and turns what escapes it into one line and an exit code.

Nothing else in the program reads `AvatarError.exit_code` or catches every exception.
"""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from collections.abc import Sequence
from typing import TextIO, cast

import typer

from avatar_cli.app import app
from avatar_cli.text import one_line, plain
from avatar_core.errors import AvatarError

# The parser's error classes are not public, but the base of this public one is theirs in every
# release of typer.
ParserError = cast("type[Exception]", typer.BadParameter.__bases__[0])

EXIT_BUG = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141
COMPLETION = "_AVATAR_COMPLETE"
"""Variable by which a shell asks for completions instead of a run."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `avatar` and return its exit code.

    Args:
        arguments: the command line without the program's name; `None` takes the process's own.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    _prepare_streams()
    try:
        code = _run(given)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        _silence(sys.stdout)
        return EXIT_BROKEN_PIPE
    except (KeyboardInterrupt, typer.Abort):
        return _fail("interrupted", EXIT_INTERRUPTED, given)
    except AvatarError as error:
        return _fail(str(error), error.exit_code, given)
    except ParserError as error:
        return _fail(_parser_message(error), EXIT_USAGE, given)
    except Exception as error:  # noqa: BLE001 - the one boundary where a bug becomes a line
        found = f"{type(error).__name__}: {error}"
        return _fail(f"this is a bug, please report it with --debug: {found}", EXIT_BUG, given)


def _run(arguments: list[str]) -> int:
    command = typer.main.get_command(app)
    try:
        if COMPLETION in os.environ:
            command.main(arguments, prog_name="avatar")
        with command.make_context("avatar", arguments) as context:
            command.invoke(context)
    except typer.Exit as leave:
        return leave.exit_code
    except SystemExit as leave:
        # How the parser ends when it has printed completions.
        return leave.code if isinstance(leave.code, int) else 0
    return 0


def _fail(message: str, code: int, arguments: Sequence[str]) -> int:
    # A closed stderr must not turn one error into another.
    with contextlib.suppress(OSError, ValueError):
        if "--debug" in arguments:
            traceback.print_exc()
        said, _, below = message.partition("\n\n")
        shown = [f"avatar: {one_line(said)}", *(f"  {plain(line)}" for line in below.splitlines())]
        sys.stderr.write("\n".join(shown) + "\n")
    return code


def _parser_message(error: Exception) -> str:
    message = getattr(error, "message", "") or str(error)
    describe = getattr(error, "format_message", None)
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "avatar"
    return f"{describe() if describe else message} (see {command} --help)"


def _prepare_streams() -> None:
    """Replace closed streams, and let no character fail that cannot be shown or read."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = cast("TextIO | None", getattr(sys, name))
        if stream is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def _silence(stream: TextIO) -> None:
    """Point a broken stream at nothing, so that the interpreter's last flush is quiet."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


if __name__ == "__main__":
    sys.exit(main())
