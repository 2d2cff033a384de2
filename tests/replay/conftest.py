from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from avatar_core.types import Completion, Group

MakeGroup = Callable[..., Group]


@pytest.fixture(scope="session")
def make_group() -> MakeGroup:
    """Build a group from a prompt id and rewards; every completion gets distinct tokens."""
    return group


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
