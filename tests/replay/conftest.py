from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from avatar_core.replay import Drawn, ReplayBuffer
from avatar_core.types import Completion, Group

MakeGroup = Callable[..., Group]


@pytest.fixture(scope="session")
def make_group() -> MakeGroup:
    """Build a group from a prompt id and rewards; every completion gets distinct tokens."""
    return group


@pytest.fixture(scope="session")
def insert() -> Callable[..., None]:
    """Insert a group with advantages and KL, as the priority "release" wants them."""
    return insert_with_values


@pytest.fixture(scope="session")
def named() -> Callable[[Sequence[Drawn]], list[tuple[object, ...]]]:
    """What identifies the completions of a draw."""
    return names


def group(
    prompt_id: str,
    rewards: Sequence[float | None],
    *,
    step: int = 0,
    hinted: bool = False,
    tokens: int = 3,
) -> Group:
    completions = tuple(
        Completion(
            token_ids=np.arange(tokens + index, dtype=np.int32) + 1000 * step,
            logprobs=-np.arange(tokens + index, dtype=np.float32) / 7,
            text=f"{prompt_id} № {index}",
            truncated=index % 2 == 1,
            reward=reward,
            parts={"accuracy": reward, "judge": None},
        )
        for index, reward in enumerate(rewards)
    )
    return Group(prompt_id, step, completions, hinted, media_key="m")


def insert_with_values(buffer: ReplayBuffer, made: Group) -> None:
    rewards = [member.reward or 0.0 for member in made.completions]
    mean = sum(rewards) / max(len(rewards), 1)
    buffer.insert(
        made,
        advantages=[reward - mean for reward in rewards],
        kl=[0.01 * (index + made.step % 5) for index in range(len(rewards))],
    )


def names(drawn: Sequence[Drawn]) -> list[tuple[object, ...]]:
    return [(d.number, d.member, d.tier, d.reuse, d.weight, d.group.prompt_id) for d in drawn]
