"""What came of the hints of a run, from its records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from avatar_core.records import GroupRow, MetricsRow
from avatar_core.types import ACCURACY


@dataclass(frozen=True, slots=True)
class HintFigures:
    """The hints of one run.

    Attributes:
        used: fresh groups sampled with a hint in the prompt; `None` before the first step.
        refused: visits whose hint was due but not shown, since it holds the reference answer;
            `None` before the first step.
        prompts: prompts that were shown their hint.
        answered: of the groups used, those with an answer that is at least partly right.
        leaked: of the groups used, those whose hint holds the reference answer.
    """

    used: int | None
    refused: int | None
    prompts: int
    answered: int
    leaked: int


def hint_figures(metrics: Sequence[MetricsRow], groups: Sequence[GroupRow]) -> HintFigures:
    """Count the hints of a run; groups replayed with their hint are not counted again."""
    last = metrics[-1] if metrics else None
    hinted = [group for group in groups if group.hinted and group.source == "fresh"]
    return HintFigures(
        used=last.hints_used if last else None,
        refused=last.hints_refused if last else None,
        prompts=len({group.prompt_id for group in hinted}),
        answered=sum(map(_is_answered, hinted)),
        leaked=sum(group.leaked for group in hinted),
    )


def _is_answered(group: GroupRow) -> bool:
    return any((completion.parts.get(ACCURACY) or 0.0) > 0 for completion in group.completions)
