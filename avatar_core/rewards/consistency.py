"""The self reward: agreement with the majority answer of the group; needs no solution."""

from __future__ import annotations

from collections.abc import Sequence

from avatar_core.errors import UsageError
from avatar_core.rewards.registry import RewardContext, register
from avatar_core.rewards.votes import TIE_RULES, TieRule, majority_agreement, vote_of
from avatar_core.types import Sample

_FRESH = RewardContext()


@register("self")
def consistency_reward(
    texts: Sequence[str],
    sample: Sample,
    *,
    ties: TieRule = "split",
    context: RewardContext = _FRESH,
) -> list[float | None]:
    """Score each completion by whether it answers as most of its group do.

    The vote is one policy's: replayed completions keep the reward they were stored with, and
    neither vote nor are scored again.

    Args:
        texts: the whole group; part of one would make its own majority.
        sample: its `problem_type` and `options` are used; its solution at most for the number of
            letters, where no options are listed.
        ties: what a tie at the top is worth, see `votes.majority_agreement`.
        context: all `None` unless the group is fresh.

    Returns:
        One value in [0, 1] per completion: 0 without a readable answer, `None` for the only answer
        of a group.

    Raises:
        UsageError: unknown `ties`.
    """
    if ties not in TIE_RULES:
        raise UsageError(f"self reward: ties={ties!r}; choose 'split' or 'first'")
    if not context.fresh:
        return [None for _ in texts]
    return majority_agreement([vote_of(text, sample) for text in texts], ties=ties)
