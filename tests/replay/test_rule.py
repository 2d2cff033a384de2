from __future__ import annotations

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
