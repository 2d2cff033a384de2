"""Layers that compute their activations again in the backward pass: memory for a third more time.

A layer of transformers does so only in training mode, in which it refuses a cache of keys and
values. The models here stay in evaluation mode, so the layers are switched one forward pass at a
time; what they compute, gradients too, is the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint
from transformers.modeling_layers import GradientCheckpointingLayer

_CHECKPOINT = partial(checkpoint, use_reentrant=False, preserve_rng_state=False)


def layers_of(model: nn.Module) -> list[Any]:
    """The layers of towers and text whose activations can be computed again."""
    return [module for module in model.modules() if isinstance(module, GradientCheckpointingLayer)]


@contextmanager
def recomputed(layers: Sequence[Any]) -> Iterator[None]:
    """Keep no activations of these layers for the backward pass of what is computed inside.

    Without gradients nothing is kept in any case, and nothing changes.
    """
    chosen = layers if torch.is_grad_enabled() else ()
    for layer in chosen:
        layer._gradient_checkpointing_func = _CHECKPOINT
        layer.gradient_checkpointing = layer.training = True
    try:
        yield
    finally:
        for layer in chosen:
            layer.gradient_checkpointing = layer.training = False
