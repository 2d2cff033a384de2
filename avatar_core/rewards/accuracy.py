"""The accuracy reward: how well the stated answer agrees with the sample's solution.

An answer that cannot be read scores 0, which is the model's failure; `None` means the sample has no
usable solution, so that nothing can be said about the model. One file per kind of answer:
`choice`, `number`, `localisation`, `word_error`, `overlap`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from avatar_core.errors import UsageError
from avatar_core.rewards.choice import choice_scorer
from avatar_core.rewards.localisation import pair_scorer
from avatar_core.rewards.number import number_scorer
from avatar_core.rewards.overlap import overlap_scorer
from avatar_core.rewards.registry import register
from avatar_core.rewards.word_error import word_error_scorer
from avatar_core.types import Sample


@register("accuracy")
def accuracy_reward(
    texts: Sequence[str], sample: Sample, *, numeric: Literal["dense", "strict"] = "dense"
) -> list[float | None]:
    """Score each completion's answer by the sample's problem type.

    Args:
        texts: completions of one group.
        sample: its `problem_type`, `solution` and `options` are used.
        numeric: how numbers are compared, see `number.numeric_agreement`.

    Returns:
        One value in [0, 1] per completion; all `None` when the solution cannot be scored against.

    Raises:
        UsageError: unknown `numeric`.
    """
    if numeric not in ("dense", "strict"):
        raise UsageError(f"accuracy reward: numeric={numeric!r}; choose 'dense' or 'strict'")
    scorer = _scorer(sample, strict=numeric == "strict")
    return [None if scorer is None else scorer(text) for text in texts]


def _scorer(sample: Sample, *, strict: bool) -> Callable[[str], float] | None:
    """The function that scores one completion of a sample; `None` when its solution is unusable."""
    match sample.problem_type:
        case "multiple choice":
            return choice_scorer(sample)
        case "numerical" | "regression":
            return number_scorer(sample.solution, strict=strict)
        case "localisation":
            return pair_scorer(sample.solution)
        case "ocr":
            return word_error_scorer(sample.solution)
        case "free-form":
            return overlap_scorer(sample.solution)
