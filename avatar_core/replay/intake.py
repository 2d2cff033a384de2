"""What a group must be to enter the buffer."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from avatar_core.types import Completion, Group


def admit(group: Group) -> Group:
    """Check a group and give it 32-bit arrays of its own, copying only what has to change.

    A view would keep the padded batch it was cut from alive for as long as the group is stored.

    Raises:
        ValueError: a reward or part is no finite number, or token ids and log-probs are not two
        vectors of one
            length.
    """
    members = tuple(_admit_completion(group.prompt_id, member) for member in group.completions)
    same = all(new is old for new, old in zip(members, group.completions, strict=True))
    return group if same else dataclasses.replace(group, completions=members)


def _admit_completion(prompt_id: str, member: Completion) -> Completion:
    for value in (member.reward, *member.parts.values()):
        if value is not None and not (isinstance(value, float | int) and math.isfinite(value)):
            raise ValueError(f"replay: reward {value!r} of {prompt_id!r} is no finite number")
    ids = _own(member.token_ids, np.int32)
    logprobs = _own(member.logprobs, np.float32)
    if ids.ndim != 1 or ids.shape != logprobs.shape:
        raise ValueError(
            f"replay: prompt {prompt_id!r} has token ids of shape {ids.shape}"
            f" and log-probs of shape {logprobs.shape}; both must be [tokens]"
        )
    if ids is member.token_ids and logprobs is member.logprobs:
        return member
    return dataclasses.replace(member, token_ids=ids, logprobs=logprobs)


def _own(array: np.ndarray, dtype: type[np.generic]) -> np.ndarray:
    """The array itself when it has the type and owns its memory, else a copy that does."""
    if isinstance(array, np.ndarray) and array.dtype == dtype and array.base is None:
        return array
    return np.array(array, dtype)
