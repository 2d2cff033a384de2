from __future__ import annotations

import pytest

from avatar_core.errors import UsageError
from avatar_core.rewards import REWARDS, register


def test_the_built_in_rewards_are_registered_by_import():
    assert {"format", "accuracy"} <= set(REWARDS)


def test_a_function_is_registered_once(monkeypatch):
    monkeypatch.setattr("avatar_core.rewards.registry.REWARDS", {})
    from avatar_core.rewards import registry

    @register("constant")
    def constant(texts, sample):
        return [1.0 for _ in texts]

    assert registry.REWARDS == {"constant": constant}
    with pytest.raises(UsageError, match="'constant' is already registered"):
        register("constant")(constant)
