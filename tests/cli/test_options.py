from __future__ import annotations

import inspect
from typing import Annotated

import typer
from typer.testing import CliRunner

from avatar_cli.options import Output, with_output

seen: list[tuple[Output, int, str]] = []
app = typer.Typer()


@app.command()
@with_output
def sample(
    output: Output, number: Annotated[int, typer.Option(help="A number.")] = 3, name: str = "n"
) -> None:
    """Do something."""
    seen.append((output, number, name))


def test_the_shared_options_reach_the_command_as_one_value() -> None:
    cases = [
        ([], (Output(), 3, "n")),
        (["--json"], (Output(as_json=True), 3, "n")),
        (["-q", "--number", "5"], (Output(quiet=True), 5, "n")),
        (["--quiet", "--json", "--debug", "--name", "x"], (Output(True, True), 3, "x")),
    ]
    for arguments, expected in cases:
        seen.clear()
        assert CliRunner().invoke(app, arguments).exit_code == 0
        assert seen == [expected]
    assert len(cases) == 4


def test_the_command_keeps_its_name_help_and_own_options() -> None:
    assert (sample.__name__, sample.__doc__) == ("sample", "Do something.")
    assert list(inspect.signature(sample).parameters) == [
        "number",
        "name",
        "as_json",
        "quiet",
        "debug",
    ]
