"""Prompts to scored groups: draw a group of completions from each encoded prompt, reward each."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from typing import NamedTuple

from avatar_core.config.reward import RewardConfig
from avatar_core.config.train import TrainConfig
from avatar_core.models.policy import Encoded, Policy, Prepared, Sampling
from avatar_core.rewards import RewardContext, score
from avatar_core.rewards.judging.judge import Judge
from avatar_core.seeds import seed_from
from avatar_core.training.parallel import ALONE, World
from avatar_core.types import ACCURACY, Clip, Completion, Group, Sample


class Visit(NamedTuple):
    """One prompt that a step looks at."""

    sample: Sample
    """The question with its reference answer."""
    prepared: Prepared
    """The prompt as the policy reads it."""
    media_key: str
    """Content hashes of its clips."""
    clips: tuple[Clip, ...] = ()
    """The clips themselves, for rewards that look at them."""
    hinted: bool = False
    """The prompt shows the hint of its sample."""


def draw_completions(
    policy: Policy,
    encoded: Encoded | None,
    visits: Sequence[Visit],
    *,
    sizes: Sequence[int],
    config: TrainConfig,
    step: int,
    world: World = ALONE,
) -> list[list[Completion]]:
    """Draw unscored completions for each visited prompt from its encoding, `sizes[i]` for visit i.

    Draw j of a prompt is seeded by (run seed, step, sample id, j); a step that visits a prompt
    twice goes on counting j, also from one process of `world` to the next. All processes call it
    together. No visits need no encoding.
    """
    wanted = [(visit.sample.id, size) for visit, size in zip(visits, sizes, strict=True)]
    drawn: Counter[str] = Counter()
    for name, size in chain.from_iterable(world.gather([wanted])[: world.rank]):
        drawn[name] += size
    if encoded is None:
        return []
    seeds = []
    for name, size in wanted:
        draws = range(drawn[name], drawn[name] + size)
        seeds.append([seed_from(config.seed, "rollout", step, name, draw) for draw in draws])
        drawn[name] += size
    groups = policy.generate(encoded, Sampling(**config.sampling.model_dump()), seeds)
    return [
        [
            Completion(
                token_ids=made.token_ids.numpy().astype("int32"),
                logprobs=made.logprobs.numpy(),
                text=policy.decode(made.token_ids),
                truncated=made.truncated,
            )
            for made in group
        ]
        for group in groups
    ]


def score_groups(
    visits: Sequence[Visit],
    groups: Sequence[Sequence[Completion]],
    reward: RewardConfig,
    step: int,
    judge: Judge | None = None,
) -> list[Group]:
    """Reward the completions of several visits, one group each."""
    return [
        score_group(visit, group, reward, step, judge)
        for visit, group in zip(visits, groups, strict=True)
    ]


def score_group(
    visit: Visit,
    completions: Sequence[Completion],
    reward: RewardConfig,
    step: int,
    judge: Judge | None = None,
) -> Group:
    """Reward the completions of one visit and make them a group.

    Their accuracy is recorded also when it is no part of the reward: metrics and hints go by it.
    """
    weights = {**reward.weights, ACCURACY: reward.weights.get(ACCURACY, 0.0)}
    measured = reward.model_copy(update={"weights": weights})
    scored = score(
        [completion.text for completion in completions],
        visit.sample,
        weights,
        reward_options(measured),
        context=RewardContext(clips=visit.clips, judge=judge),
    )
    return Group(
        prompt_id=visit.sample.id,
        step=step,
        completions=tuple(
            replace(completion, reward=result.total, parts=result.parts)
            for completion, result in zip(completions, scored, strict=True)
        ),
        hinted=visit.hinted,
        media_key=visit.media_key,
    )


def reward_options(reward: RewardConfig) -> dict[str, dict[str, object]]:
    """Keyword arguments of each reward function under a reward configuration."""
    options: dict[str, dict[str, object]] = {
        "format": {"values": reward.format_values},
        ACCURACY: {"numeric": reward.numerical},
        "self": {"ties": reward.self_ties},
    }
    return {name: values for name, values in options.items() if name in reward.weights}


def scored_rewards(group: Group) -> list[float]:
    """Rewards of the scored completions of a group, in order of their draw."""
    return [c.reward for c in group.completions if c.reward is not None]


def mean_reward(group: Group) -> float:
    """Mean of the scored rewards of a group that has some."""
    rewards = scored_rewards(group)
    return math.fsum(rewards) / len(rewards)


def has_signal(group: Group) -> bool:
    """Whether the scored rewards of a group differ; rounded advantages could not tell."""
    return len(set(scored_rewards(group))) > 1
