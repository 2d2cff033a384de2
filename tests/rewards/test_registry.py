from __future__ import annotations

import pytest

from avatar_core.errors import UsageError
from avatar_core.rewards import REWARDS, RewardContext, register
from avatar_core.rewards.registry import option_names, wants_context


def test_the_built_in_rewards_are_registered_by_import():
    assert {"format", "accuracy", "self", "judge"} <= set(REWARDS)


def test_a_function_is_registered_once(monkeypatch):
    monkeypatch.setattr("avatar_core.rewards.registry.REWARDS", {})
    from avatar_core.rewards import registry

    @register("constant")
    def constant(texts, sample):
        return [1.0 for _ in texts]

    assert registry.REWARDS == {"constant": constant}
    with pytest.raises(UsageError, match="'constant' is already registered"):
        register("constant")(constant)


def test_options_are_the_named_parameters_behind_the_first_two():
    assert option_names(REWARDS["format"]) == {"values"}
    assert option_names(REWARDS["accuracy"]) == {"numeric"}
    assert option_names(REWARDS["self"]) == {"ties"}
    assert option_names(lambda texts, sample, **rest: []) == frozenset()


def test_only_functions_that_declare_the_context_want_it():
    assert wants_context(REWARDS["self"])
    assert not wants_context(REWARDS["accuracy"])
    assert not wants_context(lambda texts, sample, **rest: [])
    assert not wants_context(lambda context, sample: [])


def test_a_context_is_fresh_and_empty_unless_told_otherwise():
    context = RewardContext()
    assert (context.clips, context.judge, context.fresh) == ((), None, True)
    with pytest.raises(AttributeError):
        context.fresh = False  # type: ignore[misc]
