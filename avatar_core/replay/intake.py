"""What a group must be to enter the buffer."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from avatar_core.types import Completion, Group


def admit(group: Group) -> Group:
    """Check a group and give its arrays 32 bits, copying only what has to change.

    Raises:
        ValueError: a reward or part is no finite number, or token ids and log-probs are not two
            vectors of one length.
    """
    members = tuple(_admit_completion(group.prompt_id, member) for member in group.completions)
    same = all(new is old for new, old in zip(members, group.completions, strict=True))
    return group if same else dataclasses.replace(group, completions=members)


def admit_values(
    group: Group, name: str, values: Sequence[float] | None, *, needed: bool
) -> tuple[float, ...] | None:
    """Check numbers that go with a group's completions.

    Args:
        group: the completions.
        name: of the values, for the error.
        values: one for each completion, or `None`.
        needed: whether `None` is refused.

    Raises:
        ValueError: they are needed and missing, not finite, or not one for each completion.
    """
    if values is None:
        if needed:
            raise ValueError(
                f"replay: the priority needs {name} of {group.prompt_id!r}; pass {name} to insert"
            )
        return None
    found = tuple(float(value) for value in values)
    if len(found) != len(group.completions) or not all(map(math.isfinite, found)):
        raise ValueError(
            f"replay: {name} of {group.prompt_id!r} must be {len(group.completions)} finite "
            f"numbers, not {found}"
        )
    return found


def _admit_completion(prompt_id: str, member: Completion) -> Completion:
    for value in (member.reward, *member.parts.values()):
        if value is not None and not (isinstance(value, float | int) and math.isfinite(value)):
            raise ValueError(f"replay: reward {value!r} of {prompt_id!r} is no finite number")
    ids = np.asarray(member.token_ids, np.int32)
    logprobs = np.asarray(member.logprobs, np.float32)
    if ids.ndim != 1 or ids.shape != logprobs.shape:
        raise ValueError(
            f"replay: prompt {prompt_id!r} has token ids of shape {ids.shape}"
            f" and log-probs of shape {logprobs.shape}; both must be [tokens]"
        )
    if ids is member.token_ids and logprobs is member.logprobs:
        return member
    return dataclasses.replace(member, token_ids=ids, logprobs=logprobs)
