"""Which visits of a step show their hint, and the divergence that the rule `stuck` measures.

All of it happens when the step begins, before the next step's prompts are looked at in advance.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from avatar_core.algo.losses import kl_k3, off_policy_weights
from avatar_core.config.hints import HintConfig
from avatar_core.config.train import TrainConfig
from avatar_core.data.leak import leaks
from avatar_core.models.policy import Policy
from avatar_core.replay import ReplayBuffer
from avatar_core.replay.tiers import rank_of
from avatar_core.training.hints import is_due, may_be_stuck
from avatar_core.training.rollout import Visit
from avatar_core.training.trainee import Trainee
from avatar_core.types import Group


def show_hints(trainee: Trainee, config: TrainConfig, visits: Sequence[Visit]) -> list[Visit]:
    """The visits of a step, those that need it with their hint."""
    due = due_hints(trainee, config.hints, visits)
    place = config.hints.place
    return [trainee.with_hint(v, place) if v.sample.id in due else v for v in visits]


def due_hints(trainee: Trainee, config: HintConfig, visits: Sequence[Visit]) -> set[str]:
    """Ids of the prompts whose hint is shown in a step that begins now.

    The divergence is measured last and only for prompts that meet every other condition of `stuck`,
    so it costs one forward pass without gradients over a few prompts, and most often none.
    """
    able = {v.sample.id: v for v in visits if v.sample.hint is not None and config.enabled}
    memory = trainee.state.hints
    due = {name for name in able if is_due(memory.history(name), config)}
    doubtful = [able[name] for name in low_rewards(trainee, config, [*able.keys() - due])]
    groups = newest_groups(trainee.state.buffer, doubtful)
    found = divergences(trainee.policy, groups, doubtful, config)
