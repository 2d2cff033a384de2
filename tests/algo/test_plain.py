from __future__ import annotations

from typing import get_args

import pytest
import torch

from avatar_core.algo.advantages import group_advantages, vcrs_advantages
from avatar_core.algo.plain import group_values, token_weights, vcrs_values
from avatar_core.algo.tas import TasShape, tas_weights


def test_group_values_are_the_group_advantages_with_unscored_members_at_zero() -> None:
    rewards = torch.tensor([[1.0, 0.0, 0.25, 0.0]])
    scored = torch.tensor([[True, True, True, False]])
    expected = group_advantages(rewards, scored, eps=1e-4, scale="std")[0].tolist()
    assert group_values([1.0, 0.0, 0.25, None], eps=1e-4, scale="std") == expected
    assert expected[3] == 0.0
    # Mean of 1 and 0 is 1/2.
    assert group_values([1.0, 0.0], eps=1e-4, scale="none") == [0.5, -0.5]


@pytest.mark.parametrize("rewards", [[], [None, None], [0.1] * 8])
def test_a_group_without_signal_is_exactly_zero(rewards: list[float | None]) -> None:
    assert group_values(rewards, eps=1e-4, scale="std") == [0.0] * len(rewards)


def test_vcrs_values_are_the_vcrs_advantages() -> None:
    rewards, baselines = [1.0, 0.0, 1.0], [0.5, 0.25, 1.0]
    expected = vcrs_advantages(torch.tensor(rewards), torch.tensor(baselines), alpha=0.5).tolist()
    assert vcrs_values(rewards, baselines, alpha=0.5, scale="batch") == expected
    assert vcrs_values([1.0], [0.25], alpha=2.0, scale="batch") == [1.5]
    assert vcrs_values([], [], alpha=1.0, scale="batch") == []


def test_token_weights_are_those_of_a_row_of_the_batch() -> None:
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]])
    shapes = get_args(TasShape)
    for shape in shapes:
        for normalize in (False, True):
            batch = tas_weights(mask, 0.3, shape=shape, normalize=normalize)
            long = token_weights(5, 0.3, shape=shape, normalize=normalize)
            short = token_weights(2, 0.3, shape=shape, normalize=normalize)
            assert long == batch[0].tolist()
            assert short == batch[1, :2].tolist()
    assert len(shapes) == 5
    assert token_weights(0, 0.3, shape="parabola") == []
