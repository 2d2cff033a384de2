"""Open questions that a benchmark has a language model judge, compared with the gold text here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from avatar_core.evaluation_records import EvalRow

UNJUDGED: Mapping[str, tuple[str, ...]] = {"scored": ("no_judge",)}
"""Breakdown of such a question: its row is found by it, and summed up apart."""


def open_figures(rows: Sequence[EvalRow]) -> Mapping[str, float | None]:
    """How often the answer to an open question is its gold text; no judge says whether it means it.

    Args:
        rows: of all items; those of `UNJUDGED` count, failures as wrong.

    Returns:
        Nothing without such questions, else `open_items`, how many there are, and `open_exact`,
        the share of them whose answer is the gold text after normalisation.
    """
    ((breakdown, (category,)),) = UNJUDGED.items()
    unjudged = [row for row in rows if category in row.categories(breakdown)]
    if not unjudged:
        return {}
    exact = sum(bool(row.correct) for row in unjudged)
    return {"open_items": float(len(unjudged)), "open_exact": exact / len(unjudged)}
