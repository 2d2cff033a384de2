"""The options every command has, added in one place: `--json`, `-q/--quiet` and `--debug`."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import typer


@dataclass(frozen=True, slots=True)
class Output:
    """How a command speaks.

    Attributes:
        as_json: one JSON document on stdout and nothing else there.
        quiet: no progress and no notes on stderr.
    """

    as_json: bool = False
    quiet: bool = False


JsonFlag = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on stdout and nothing else there.")
]
QuietFlag = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no notes.")]
DebugFlag = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]


def with_output(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the shared options; it receives the first two as its parameter `output`.

    `--debug` concerns only the top of the program, which looks for it itself.
    """

    @functools.wraps(command)
    def run(*, as_json: bool, quiet: bool, debug: bool, **own: Any) -> None:
        del debug
        command(output=Output(as_json, quiet), **own)

    # Python 3.10: typing.get_type_hints hides an option behind its default of None.
    own = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for name, parameter in inspect.signature(command, eval_str=True).parameters.items()
        if name != "output"
    ]
    shared = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=flag)
        for name, flag in (("as_json", JsonFlag), ("quiet", QuietFlag), ("debug", DebugFlag))
    ]
    # The parser reads the signature and the annotations; both must show what `run` takes.
    del run.__wrapped__
    parameters = [*own, *shared]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run
