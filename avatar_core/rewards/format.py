"""The format reward: one think block, then one answer block, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from avatar_core.errors import UsageError
from avatar_core.rewards.registry import register
from avatar_core.types import Sample

_BLOCK = r"(?:(?!</?(?:think|answer)>).)*"
_WELL_FORMED = re.compile(
    rf"\s*<think>(?P<think>{_BLOCK})</think>\s*<answer>(?P<answer>{_BLOCK})</answer>\s*", re.DOTALL
)
_VALUES = {"signed": (1.0, -1.0), "binary": (1.0, 0.0)}


def is_well_formed(text: str) -> bool:
    """Whether a completion is one non-empty think block followed by one non-empty answer block.

    White space around the blocks is free. Repeated, nested or unclosed tags are not: neither block
    may contain any of the four tags. A blank block does not count, or an empty `<think></think>`
    would earn the reward.
    """
    match = _WELL_FORMED.fullmatch(text)
    return match is not None and bool(match["think"].strip()) and bool(match["answer"].strip())


@register("format")
def format_reward(
    texts: Sequence[str], sample: Sample, *, values: Literal["signed", "binary"] = "signed"
) -> list[float | None]:
    """Score each completion's form.

    Args:
        texts: completions of one group.
        sample: not looked at.
        values: "signed" gives +1 and −1 (paper), "binary" 1 and 0 (authors' code).

    Returns:
        One value per completion, never `None`.

    Raises:
        UsageError: unknown `values`.
    """
    if values not in _VALUES:
        raise UsageError(f"format reward: values={values!r}; choose 'signed' or 'binary'")
    good, bad = _VALUES[values]
    return [good if is_well_formed(text) else bad for text in texts]
