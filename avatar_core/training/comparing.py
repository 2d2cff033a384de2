"""From the rewards of fresh groups to their advantages, by the baseline that a run asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from avatar_core.algo.advantages import group_advantages
from avatar_core.algo.shrinkage import shrinkage_advantages
from avatar_core.config.train import TrainConfig
from avatar_core.training.baselines import memories_of
from avatar_core.training.checkpoint import TrainerState
from avatar_core.training.injection import Split, split, stored_successes, with_successes
from avatar_core.training.rollout import Visit
from avatar_core.training.update import Rehearsal, fresh_advantages
from avatar_core.types import Group


class Rewards(NamedTuple):
    """Rewards of groups of several sizes, padded on the right to the largest."""

    values: Tensor
    """float64 [N, G]; 0 where there is none."""
    scored: Tensor
    """bool [N, G]."""


def compare(
    state: TrainerState,
    config: TrainConfig,
    visits: Sequence[Visit | None],
    groups: Sequence[Group],
    rehearsal: Rehearsal,
) -> Split:
    """Advantages of a step's fresh groups, and what is replayed with them.

    Args:
        state: holds the memories of prompts and the stored groups.
        config: of the run.
        visits: the prompt of each group as it was shown, `None` where another process has it.
        groups: the scored completions of all prompts of the step.
        rehearsal: what was drawn for replay.

    Returns:
        As many advantages as each group has completions. `rehearsal` as it is, unless
        `replay.inject_success` finds stored successes for prompts that failed: these are compared
        with their groups and replayed.
    """
    if not config.replay.inject_success:
        return Split(advantages_of(groups, state, config), rehearsal)
    successes = stored_successes(groups, state.buffer, rehearsal, step=groups[0].step)
    advantages = advantages_of(with_successes(groups, successes), state, config)
    return split(advantages, successes, visits, rehearsal)


def advantages_of(
    groups: Sequence[Group], state: TrainerState, config: TrainConfig
) -> list[Tensor]:
    """Advantages of groups of any sizes by `advantage.baseline`, float32 [members] each."""
    shaping = config.advantage
    sizes = [len(group.completions) for group in groups]
    if shaping.baseline == "shrinkage":
        rewards = padded_rewards(groups)
        memories = memories_of(state.memories, groups, shaping)
        rows = shrinkage_advantages(
            rewards.values,
            rewards.scored,
            torch.tensor([memory.mean for memory in memories], dtype=torch.float64),
            torch.tensor([memory.weight for memory in memories], dtype=torch.float64),
            strength=shaping.prior_strength,
            scale=shaping.scale,
        ).float()
    elif len(set(sizes)) == 1:
        return fresh_advantages(groups, shaping)
    else:
        rewards = padded_rewards(groups)
        rows = group_advantages(
            rewards.values.float(), rewards.scored, eps=shaping.eps, scale=shaping.scale
        )
    return [row[:size] for row, size in zip(rows, sizes, strict=True)]


def remember(state: TrainerState, config: TrainConfig, groups: Sequence[Group]) -> None:
    """Take in the fresh groups of a step that was taken, as far as an option asks for it."""
    if config.advantage.baseline == "shrinkage" or config.rollout.adaptive_group:
        state.memories.observe(groups, config.advantage.forgetting)
    if config.rollout.skip:
        state.runs.observe(groups)


def padded_rewards(groups: Sequence[Group]) -> Rewards:
    """Rewards of groups as matrices; memories are float64, so rewards are."""
    width = max(len(group.completions) for group in groups)
    values = torch.zeros(len(groups), width, dtype=torch.float64)
    scored = torch.zeros(len(groups), width, dtype=torch.bool)
    for row, group in enumerate(groups):
        for column, completion in enumerate(group.completions):
            if completion.reward is not None:
                values[row, column] = completion.reward
                scored[row, column] = True
    return Rewards(values, scored)
