"""Groups of completions made by hand, for tests that need no model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from avatar_core.types import Completion, Group


def completion(
    reward: float | None = None,
    *,
    tokens: Sequence[int] = (3, 4, 5),
    logprob: float = -1.0,
    accuracy: float | None = None,
) -> Completion:
    return Completion(
        token_ids=np.array(tokens, np.int32),
        logprobs=np.full(len(tokens), logprob, np.float32),
        text="<answer>A</answer>",
        truncated=False,
        reward=reward,
        parts={} if accuracy is None else {"accuracy": accuracy},
    )


def group(name: str, *rewards: float | None, step: int = 1, media_key: str = "") -> Group:
    completions = tuple(completion(reward) for reward in rewards)
    return Group(prompt_id=name, step=step, completions=completions, media_key=media_key)
