"""Positions of completion tokens.

A *completion mask* is [B, T] with 1 on completion tokens; padding may stand on either side.
"""

from __future__ import annotations

import torch
from torch import Tensor

from avatar_core.algo.checks import require_integer, require_rank


def token_positions(mask: Tensor) -> Tensor:
    """Number the tokens of each row from 0, wherever the row's padding stands.

    tᵢⱼ = (Σ_{k≤j} mᵢₖ) − 1 where mᵢⱼ = 1. Counting tokens, not columns, is what keeps a position
    independent of padding and of where a prompt ended.

    Args:
        mask: m, boolean or integer [B, T]; non-zero on completion tokens.

    Returns:
        int64 [B, T]; -1 outside the mask. A row without tokens is -1 throughout.
    """
    require_rank("mask", mask, 2)
    require_integer("mask", mask)
    tokens = mask.bool()
    return torch.where(tokens, tokens.long().cumsum(dim=1) - 1, -1)
