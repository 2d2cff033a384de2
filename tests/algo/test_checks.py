from __future__ import annotations

import pytest
import torch

from avatar_core.algo.checks import (
    require_floating,
    require_integer,
    require_rank,
    require_shape,
    working_dtype,
)


def test_each_check_names_the_argument_and_the_remedy() -> None:
    with pytest.raises(ValueError, match=r"rewards has shape \[3\]: pass a tensor of 2 dimensions"):
        require_rank("rewards", torch.zeros(3), 2)
    with pytest.raises(ValueError, match=r"kl has shape \[2, 3\]: pass shape \[3, 2\]"):
        require_shape("kl", torch.zeros(2, 3), [3, 2])
    with pytest.raises(
        TypeError, match=r"logp has dtype torch.int64: pass a floating-point tensor"
    ):
        require_floating("logp", torch.zeros(2, dtype=torch.long))
    with pytest.raises(TypeError, match=r"mask has dtype torch.float32: pass a boolean or integer"):
        require_integer("mask", torch.zeros(2))


def test_checks_let_good_tensors_pass() -> None:
    require_rank("x", torch.zeros(2, 3), 2)
    require_shape("x", torch.zeros(2, 3), (2, 3))
    require_floating("x", torch.zeros(2, dtype=torch.bfloat16))
    require_integer("x", torch.zeros(2, dtype=torch.bool))
    require_integer("x", torch.zeros(2, dtype=torch.int32))


@pytest.mark.parametrize(
    ("given", "used"),
    [
        (torch.bfloat16, torch.float32),
        (torch.float16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
    ],
)
def test_half_precision_is_raised_and_double_is_kept(given: torch.dtype, used: torch.dtype) -> None:
    assert working_dtype(torch.zeros(1, dtype=given)) == used
