"""The judge reward: the mean of a judge's four scores for reasoning and answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from avatar_core.errors import UsageError
from avatar_core.rewards.answer import split_completion
from avatar_core.rewards.judging.judge import JudgeRequest
from avatar_core.rewards.registry import register
from avatar_core.types import Clip, Sample

if TYPE_CHECKING:
    from avatar_core.rewards.judging.judge import Judge
    from avatar_core.rewards.registry import RewardContext


@register("judge")
def judge_reward(
    texts: Sequence[str], sample: Sample, *, context: RewardContext
) -> list[float | None]:
    """Score each completion by the judge of the run.

    A completion without a final answer is the model's failure: it scores 0 and the judge is not
    asked. A verdict that could not be had is `None`.

    Args:
        texts: completions of one group.
        sample: what they answer.
        context: holds the judge and the decoded media; the judge sees the first that has frames.

    Returns:
        One value in [0, 1] or `None` per completion.

    Raises:
        UsageError: the run has no judge.
        ServiceError: the judge failed too often in a row.
    """
    judge = cast("Judge | None", context.judge)
    if judge is None:
        raise UsageError("reward 'judge' needs a judge; set judge.kind, or drop its weight")
    asked = [index for index, text in enumerate(texts) if split_completion(text).answer]
    clip = _first_seen(context.clips)
    verdicts = judge.grade([JudgeRequest(sample, texts[index], clip) for index in asked])
    rewards: list[float | None] = [0.0] * len(texts)
    for index, verdict in zip(asked, verdicts, strict=True):
        rewards[index] = verdict.reward
    return rewards


def _first_seen(clips: Sequence[Clip]) -> Clip | None:
    return next((clip for clip in clips if clip.frames is not None), None)
