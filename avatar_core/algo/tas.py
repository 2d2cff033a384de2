"""Temporal Advantage Shaping (TAS): how much of the advantage each token carries."""

from __future__ import annotations

import math
from typing import Literal, get_args

import torch
from torch import Tensor

from avatar_core.algo.masks import token_positions

TasShape = Literal["parabola", "uniform", "linear-decay", "linear-incline", "inverse"]


def tas_weights(
    mask: Tensor, lam: float, *, shape: TasShape = "parabola", normalize: bool = False
) -> Tensor:
    """Weight each token of a completion by its relative position.

    With t the position of a token among the L tokens of its own completion and t̃ = t / (L − 1):

        parabola         wₜ = 1 + λ (2t̃ − 1)²          ends 1 + λ, middle 1
        uniform          wₜ = 1
        linear-decay     wₜ = 1 + λ (1 − t̃)
        linear-incline   wₜ = 1 + λ t̃
        inverse          wₜ = 1 + λ (1 − (2t̃ − 1)²)    ends 1, middle 1 + λ

    AVATAR (arXiv 2508.03100), Temporal Advantage Shaping; equation E6 of docs/paper_map.md. The
    paper gives the parabola; the formulas of the other shapes of its ablation are ours. The shaped
    advantage is wₜ A, and multiplying the clipped loss by wₜ is the same thing since wₜ > 0.

    λ = 0 gives exactly 1 everywhere. A completion of one token has t̃ = 0, as its first token:
    weight 1 + λ for parabola and linear-decay, 1 for the others (1 for all when normalised). A row
    without tokens is 0 throughout. The parabola's mean weight is 1 + λ (L + 1) / (3 (L − 1)),
    about 1 + λ/3, so it also enlarges the policy gradient against the KL term; `normalize` takes
    that away and leaves the shape.

    Args:
        mask: boolean or integer [B, T]; non-zero on completion tokens, padding on either side.
        lam: λ ≥ 0, finite; the paper's 0.3 is the best of its sweep.
        shape: which of the formulas above.
        normalize: divide each row by its mean weight, so that a completion's weights average 1.

    Returns:
        float32 [B, T]; 0 outside the mask.
    """
    if not (math.isfinite(lam) and lam >= 0):
        raise ValueError(f"lam is {lam}: pass a finite number of at least 0")
    if shape not in get_args(TasShape):
        raise ValueError(f"shape is {shape!r}: pass one of {', '.join(get_args(TasShape))}")
    position = token_positions(mask)
    tokens = position >= 0
    weights = torch.where(tokens, 1 + lam * _profile(_centred(position), shape), 0.0)
    if normalize:
        length = tokens.sum(dim=1, keepdim=True)
        weights = weights * length / weights.sum(dim=1, keepdim=True).clamp(min=1.0)
    return weights


def _centred(position: Tensor) -> Tensor:
    """The position u = 2t̃ − 1 ∈ [−1, 1], computed so that floats keep its symmetry exactly."""
    last = position.amax(dim=1, keepdim=True) if position.shape[1] else position
    u = (2 * position - last).float() / last.clamp(min=1)
    return torch.where(last > 0, u, -1.0)


def _profile(u: Tensor, shape: TasShape) -> Tensor:
    """The part of the weight that λ multiplies, in [0, 1] for u ∈ [−1, 1]."""
    if shape == "parabola":
        return u.square()
    if shape == "inverse":
        return 1 - u.square()
    if shape == "linear-decay":
        return (1 - u) / 2
    if shape == "linear-incline":
        return (1 + u) / 2
    return torch.zeros_like(u)
