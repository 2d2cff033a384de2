from __future__ import annotations

import pytest
import torch

from avatar_core.algo.masks import token_positions


def test_positions_count_tokens_not_columns() -> None:
    mask = torch.tensor([[1, 1, 1, 0, 0], [0, 0, 1, 1, 1], [0, 1, 0, 1, 0], [0, 0, 0, 0, 0]])
    assert token_positions(mask).tolist() == [
        [0, 1, 2, -1, -1],
        [-1, -1, 0, 1, 2],
        [-1, 0, -1, 1, -1],
        [-1, -1, -1, -1, -1],
    ]
    assert torch.equal(token_positions(mask.bool()), token_positions(mask))


def test_positions_refuse_float_masks_and_wrong_ranks() -> None:
    with pytest.raises(TypeError, match="mask has dtype"):
        token_positions(torch.ones(1, 2))
    with pytest.raises(ValueError, match="mask has shape"):
        token_positions(torch.ones(2, dtype=torch.long))
