"""Choosing groups of a run to look at."""

from __future__ import annotations

from collections.abc import Sequence

from avatar_core.errors import UsageError
from avatar_core.naming import nearest
from avatar_core.records import GroupRow, Tier


def chosen_groups(
    groups: Sequence[GroupRow], *, tier: Tier | None, prompt_id: str | None, limit: int
) -> list[GroupRow]:
    """The last groups of a tier or a prompt, in order of the steps.

    Args:
        groups: rows in order of the steps.
        tier: tier of the prompt when the group was used; `None` for any.
        prompt_id: id of the prompt; `None` for any.
        limit: most groups.

    Raises:
        UsageError: the run has no group of this prompt.
    """
    known = dict.fromkeys(row.prompt_id for row in groups)
    if prompt_id is not None and prompt_id not in known:
        raise UsageError(
            f"--prompt {prompt_id}: the run has no group of this prompt{nearest(prompt_id, known)}"
        )
    found = [
        row for row in groups if tier in (None, row.tier) and prompt_id in (None, row.prompt_id)
    ]
    return found[-limit:]
