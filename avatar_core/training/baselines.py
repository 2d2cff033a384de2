"""What a run remembers of each prompt's rewards, and how many completions a prompt gets by it.

Only rewards of fresh completions enter whose prompt showed no hint, so that a memory is of the
policy on the plain prompt. It changes when a step has been taken and is saved with every
checkpoint, so a resumed run compares alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from avatar_core.algo.group_size import adaptive_group_size
from avatar_core.algo.shrinkage import Memory, faded, remembered
from avatar_core.config.train import AdvantageConfig, TrainConfig
from avatar_core.training.rollout import Visit, scored_rewards
from avatar_core.types import Group


class Memories:
    """The memory of every prompt, by id."""

    def __init__(self) -> None:
        self._prompts: dict[str, Memory] = {}

    def at(self, prompt_id: str, step: int, forgetting: float) -> Memory:
        """What is left at a step of the memory of a prompt; of no weight when it is new."""
        return faded(self._prompts.get(prompt_id, Memory()), step, forgetting)

    def observe(self, groups: Iterable[Group], forgetting: float) -> None:
        """Take in the fresh groups of a step that was taken; hinted ones are left out."""
        for group in groups:
            rewards = scored_rewards(group)
            if rewards and not group.hinted:
                known = self._prompts.get(group.prompt_id, Memory())
                self._prompts[group.prompt_id] = remembered(known, rewards, group.step, forgetting)

    def state_dict(self) -> dict[str, Any]:
        """Everything as JSON values; floats survive JSON exactly."""
        return {name: list(memory) for name, memory in self._prompts.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave; nothing is a run that has remembered nothing."""
        self._prompts = {name: Memory(*values) for name, values in state.items()}


def memories_of(
    memories: Memories, groups: Sequence[Group], config: AdvantageConfig
) -> list[Memory]:
    """The memory that fresh groups are compared with; of no weight for a hinted one."""
    return [
        Memory() if group.hinted else memories.at(group.prompt_id, group.step, config.forgetting)
        for group in groups
    ]


def group_sizes(
    memories: Memories, visits: Sequence[Visit], config: TrainConfig, *, most: int, step: int
) -> list[int]:
    """How many completions to draw for each visit of a step.

    Args:
        memories: of the prompts.
        visits: of the step; one that shows a hint gets `most`.
        config: `rollout.adaptive_group` off gives `most` to every visit.
        most: completions of a whole group.
        step: optimiser step of now.
    """
    rollout, shaping = config.rollout, config.advantage
    if not rollout.adaptive_group:
        return [most] * len(visits)
    weights = [
        0.0 if visit.hinted else memories.at(visit.sample.id, step, shaping.forgetting).weight
        for visit in visits
    ]
    return [
        adaptive_group_size(
            weight, least=rollout.min_group, most=most, strength=shaping.prior_strength
        )
        for weight in weights
    ]
