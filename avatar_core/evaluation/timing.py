"""Where the time of an evaluation goes: shares of a batch by item, and sums over all items."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from avatar_core.evaluation_records import EvalRow, EvalTiming
from avatar_core.phases import own_seconds

PATHS = {
    "media": "media",
    "prepare": "media/prepare",
    "encode": "answer/encode",
    "prefill": "answer/decode/prefill",
    "decode": "answer/decode",
    "score": "score",
}
"""Paths of a `Stopwatch`, by the names of their phases in rows; each stands without its parts."""


def each(seconds: Mapping[str, float], items: int) -> dict[str, float]:
    """The time of every one of several items that were dealt with together, by path.

    >>> each({"media/prepare": 1.0, "media": 3.0}, 2)
    {'media/prepare': 0.5, 'media': 1.5}
    """
    return {path: value / items for path, value in seconds.items()}


def timed_row(
    row: EvalRow, seconds: Mapping[str, float], *, prompt: int, reply: int | None
) -> EvalRow:
    """A row with the time of its item and the tokens that it was about.

    Args:
        row: of an answered item.
        seconds: of the item by path.
        prompt: tokens of the prompt.
        reply: tokens of the reply; `None` when they were not counted.
    """
    phases = {name: own_seconds(seconds, path) for name, path in PATHS.items()}
    return row.model_copy(
        update={
            "seconds": math.fsum(value for path, value in seconds.items() if "/" not in path),
            "phases": {name: value for name, value in phases.items() if value is not None},
            "tokens_prompt": prompt,
            "tokens_generated": reply,
        }
    )


def timing_of(rows: Sequence[EvalRow]) -> EvalTiming | None:
    """Sums over the rows that know their phases; `None` when none does.

    Rows of a served model do not: its requests overlap, and their times add up to no wall time.
    """
    timed = [row for row in rows if row.phases and row.seconds is not None]
    if not timed:
        return None
    seconds = math.fsum(row.seconds or 0.0 for row in timed)
    return EvalTiming(
        items=len(timed),
        seconds=seconds,
        phases={
            name: math.fsum(row.phases.get(name, 0.0) for row in timed)
            for name in PATHS
            if any(name in row.phases for row in timed)
        },
        tokens_prompt=sum(row.tokens_prompt or 0 for row in timed),
        tokens_generated=sum(row.tokens_generated or 0 for row in timed),
        items_per_second=len(timed) / seconds if seconds else None,
    )
