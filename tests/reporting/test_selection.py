from __future__ import annotations

import pytest

from avatar_core.errors import UsageError
from avatar_core.reporting.selection import chosen_groups
from tests.run_records import group_row

GROUPS = [
    group_row([1.0], step=1, prompt_id="scenes/1", tier="hard"),
    group_row([1.0], step=2, prompt_id="scenes/2", tier="easy"),
    group_row([1.0], step=3, prompt_id="scenes/1", tier="easy"),
    group_row([1.0], step=4, prompt_id="scenes/2", tier=None),
]


def test_the_last_groups_of_a_tier_or_prompt_are_chosen() -> None:
    def steps(**wanted: object) -> list[int]:
        given = {"tier": None, "prompt_id": None, "limit": 9, **wanted}
        return [row.step for row in chosen_groups(GROUPS, **given)]  # type: ignore[arg-type]

    assert steps() == [1, 2, 3, 4]
    assert steps(limit=2) == [3, 4]
    assert steps(tier="easy") == [2, 3]
    assert steps(prompt_id="scenes/1", tier="hard") == [1]
    assert steps(prompt_id="scenes/2", limit=1) == [4]
    assert steps(tier="medium") == []


def test_an_unknown_prompt_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UsageError, match="--prompt scene/1: .*did you mean 'scenes/1'"):
        chosen_groups(GROUPS, tier=None, prompt_id="scene/1", limit=1)
