"""`avatar replay show`: the completions of a run with their rewards and token weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from avatar_cli.options import Output, with_output

if TYPE_CHECKING:
    from avatar_core.reporting.records_io import RunRecords


@with_output
def show_command(
    output: Output,
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Directory of a run.")],
    tier: Annotated[
        Literal["easy", "medium", "hard"] | None,
        typer.Option(help="Only groups whose prompt was in this tier."),
    ] = None,
    prompt: Annotated[
        str | None, typer.Option(metavar="ID", help="Only groups of this prompt.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Most groups; the last ones are shown.")] = 5,
) -> None:
    """Show completions with reward, parts, advantage and the weight of each token.

    In a terminal a text is coloured by weight.
    """
    from avatar_cli.render import console, emit_json
    from avatar_cli.render_replay import group_document, print_groups
    from avatar_core.records import SCHEMA
    from avatar_core.reporting.records_io import load_run
    from avatar_core.reporting.selection import chosen_groups

    records = load_run(run)
    groups = chosen_groups(records.groups, tier=tier, prompt_id=prompt, limit=limit)
    screen = console()
    weights = _weights(records) if groups and (output.as_json or screen.is_terminal) else None
    if output.as_json:
        documents = [group_document(group, weights) for group in groups]
        emit_json({"schema": SCHEMA, "path": str(run), "groups": documents})
    else:
        print_groups(screen, groups, weights)


def _weights(records: RunRecords) -> Callable[[int], Sequence[float]] | None:
    """Token weights of the run by length of a completion; `None` without a configuration.

    Torch is loaded here, so that a piped table does without.
    """
    from avatar_core.algo.plain import token_weights
    from avatar_core.reporting.settings import train_config

    if records.config is None:
        return None
    shaping = train_config(records).advantage

    @cache
    def weights_of(tokens: int) -> Sequence[float]:
        return token_weights(
            tokens, shaping.tas_lambda, shape=shaping.tas_shape, normalize=shaping.tas_normalize
        )

    return weights_of
