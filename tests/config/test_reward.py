"""The reward section: defaults, ranges, and options that reach a reward function."""

from __future__ import annotations

import inspect
from typing import get_args

import pytest
from pydantic import ValidationError

from avatar_core.config.reward import RewardConfig
from avatar_core.rewards import REWARDS
from avatar_core.rewards.votes import TIE_RULES


def test_the_defaults_are_those_of_the_papers_first_stage():
    assert RewardConfig().model_dump() == {
        "weights": {"format": 0.5, "accuracy": 0.5},
        "format_values": "signed",
        "numerical": "dense",
        "self_ties": "split",
        "files": (),
    }


@pytest.mark.parametrize(
    ("field", "reward", "option"),
    [
        ("format_values", "format", "values"),
        ("numerical", "accuracy", "numeric"),
        ("self_ties", "self", "ties"),
    ],
)
def test_a_variant_has_the_default_and_the_choices_of_its_function(field, reward, option):
    info = RewardConfig.model_fields[field]
    parameter = inspect.signature(REWARDS[reward]).parameters[option]
    assert info.default == parameter.default
    choices = get_args(info.annotation)
    assert len(choices) == 2
    # A quoted annotation lists the same choices; the alias of the tie rules does so elsewhere.
    listed = TIE_RULES if field == "self_ties" else choices
    assert set(listed) == set(choices)
    for choice in choices:
        RewardConfig(**{field: choice})


@pytest.mark.parametrize(
    "values",
    [
        {"weights": {"format": float("nan")}},
        {"weights": {"format": float("inf")}},
        {"weights": {"format": "much"}},
        {"format_values": "zero"},
        {"numerical": "loose"},
        {"self_ties": "last"},
        {"files": 3},
        {"tie": "split"},
    ],
)
def test_what_is_out_of_range_or_unknown_is_refused(values):
    with pytest.raises(ValidationError):
        RewardConfig(**values)


def test_files_survive_the_way_through_json():
    config = RewardConfig(files=("mine.py", "other.py"))
    assert RewardConfig.model_validate_json(config.model_dump_json()) == config
