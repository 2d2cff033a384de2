"""Checks at the door of the algorithm functions, and the precision they compute in.

A wrong rank, shape or dtype is a mistake of the calling code, so it raises `ValueError` or
`TypeError`, never an `AvatarError`. No check looks at values: that would make the device wait.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def require_rank(name: str, tensor: Tensor, rank: int) -> None:
    """Refuse a tensor that has not `rank` dimensions, with `ValueError`."""
    if tensor.ndim != rank:
        raise ValueError(
            f"{name} has shape {list(tensor.shape)}: pass a tensor of {rank} dimensions"
        )


def require_shape(name: str, tensor: Tensor, shape: Sequence[int]) -> None:
    """Refuse a tensor whose shape is not `shape`, with `ValueError`."""
    if list(tensor.shape) != list(shape):
        raise ValueError(f"{name} has shape {list(tensor.shape)}: pass shape {list(shape)}")


def require_floating(name: str, tensor: Tensor) -> None:
    """Refuse a tensor of integers or booleans, with `TypeError`."""
    if not tensor.is_floating_point():
        raise TypeError(f"{name} has dtype {tensor.dtype}: pass a floating-point tensor")


def require_integer(name: str, tensor: Tensor) -> None:
    """Refuse a tensor of floating-point or complex numbers, with `TypeError`."""
    if tensor.is_floating_point() or tensor.is_complex():
        raise TypeError(f"{name} has dtype {tensor.dtype}: pass a boolean or integer tensor")


def working_dtype(tensor: Tensor) -> torch.dtype:
    """The dtype to compute in: float32, or float64 for a float64 tensor."""
    return torch.promote_types(tensor.dtype, torch.float32)
