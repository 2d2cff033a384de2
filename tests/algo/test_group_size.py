from __future__ import annotations

import itertools

import pytest

from avatar_core.algo.group_size import adaptive_group_size


def test_a_new_prompt_gets_a_whole_group_and_a_known_one_the_least() -> None:
    assert adaptive_group_size(0.0, least=2, most=8, strength=2.0) == 8
    # 2 (8 − 2) = 12 remembered rewards make up for the six that are left out.
    assert adaptive_group_size(12.0, least=2, most=8, strength=2.0) == 2
    assert adaptive_group_size(11.9, least=2, most=8, strength=2.0) == 3
    assert adaptive_group_size(1e9, least=2, most=8, strength=2.0) == 2
    assert adaptive_group_size(1e9, least=1, most=1, strength=2.0) == 1


def test_it_is_the_least_size_whose_baseline_is_as_well_founded() -> None:
    cases = 0
    for weight, strength, most in itertools.product((0.0, 0.3, 1, 4.2, 7, 30), (0.5, 1, 3), (1, 5)):
        enough = [
            size
            for size in range(1, most + 1)
            if weight + strength * (size - 1) >= strength * (most - 1) - 1e-9
        ]
        assert adaptive_group_size(weight, least=1, most=most, strength=strength) == enough[0]
        cases += 1
    assert cases == 36


@pytest.mark.parametrize(
    ("least", "most", "strength"), [(0, 4, 1.0), (5, 4, 1.0), (1, 4, 0.0), (1, 4, -1.0)]
)
def test_settings_out_of_range_are_refused(least: int, most: int, strength: float) -> None:
    with pytest.raises(ValueError, match="pass"):
        adaptive_group_size(1.0, least=least, most=most, strength=strength)
