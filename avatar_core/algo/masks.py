"""Masks of completions, and of rows that pack one prompt with several completions of it.

A *completion mask* is [B, T] with 1 on completion tokens; padding may stand on either side.
A *packed row* holds [prefix | branch 1 | branch 2 | … | padding]: the prompt once, then each of
its completions. Such a row is described by its *segments*: 0 on the prefix, 1…G on the branches,
-1 on padding.
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


def packed_group_mask(segments: Tensor) -> Tensor:
    """Say who attends to whom in packed rows, so that branches share a prefix and nothing else.

    With s the segments, query q sees key k iff

        k = q   or   (k ≤ q and s_q ≥ 0 and (s_k = 0 or s_k = s_q)).

    A prefix token therefore attends causally within the prefix; a branch token to the whole prefix
    and causally to its own branch. Padding attends to itself alone: a row of the mask without any
    key would turn the softmax into NaN.

    Args:
        segments: s, integer [N, T]; 0 prefix, 1…G branches, negative padding. The prefix stands
            before every branch.

    Returns:
        Boolean [N, 1, T, T], query by key, True where attention is allowed; it broadcasts over
        attention heads.
    """
    require_rank("segments", segments, 2)
    require_integer("segments", segments)
    query, key = segments.unsqueeze(2), segments.unsqueeze(1)
    column = torch.arange(segments.shape[1], device=segments.device)
    causal = column.unsqueeze(1) >= column
    related = (query >= 0) & ((key == 0) | (key == query))
    itself = torch.eye(len(column), dtype=torch.bool, device=segments.device)
    return ((causal & related) | itself).unsqueeze(1)
