from __future__ import annotations

import numpy as np
import pytest

from avatar_core.replay.rule import DrawRule


@pytest.mark.parametrize(
    ("settings", "advantages", "kl"),
    [
        ({}, False, False),
        ({"priority": "fresh"}, False, False),
        ({"priority": "release"}, True, True),
        ({"priority": "release", "proxy": "reward"}, False, True),
        ({"priority": "release", "kl_weight": 0.0}, True, False),
    ],
)
def test_what_has_to_be_stored_follows_from_the_priority(settings, advantages, kl):
    rule = DrawRule(**settings)
    assert (rule.needs_advantages, rule.needs_kl) == (advantages, kl)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, [False, False, False, False]),
        # An age of 3 is not past 3; three uses of three are.
        ({"max_age": 3}, [False, True, False, True]),
        ({"max_reuse": 3}, [False, False, True, True]),
        ({"max_age": 3, "max_reuse": 3}, [False, True, True, True]),
    ],
)
def test_groups_are_past_use_one_by_one_as_in_columns(settings, expected):
    ages, reuses, rule = np.array([3, 4, 0, 4]), np.array([2, 0, 3, 9]), DrawRule(**settings)
    assert rule.spent(ages, reuses).tolist() == expected
    pairs = zip(ages.tolist(), reuses.tolist(), strict=True)
    assert [rule.spent(age, reuse) for age, reuse in pairs] == expected
