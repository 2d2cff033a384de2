"""One step of decoding through the layers of the text model.

The model's own modules are called in its own order, with an adapter on them if there is one, so
the numbers are those of its forward. What its forward does around them for any use, looking up
implementations and preparing masks, positions and records of output, is left out: for a few rows
in a small model that takes as long as the arithmetic.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import rms_norm

from avatar_core.models.prefix_cache import PrefixCache


class Rotation(NamedTuple):
    """Rotary embedding of tokens whose three positions are equal, as behind a prompt they are."""

    cos: Tensor
    """[rows, 1, width]."""
    sin: Tensor
    """[rows, 1, width], the sign of the first half turned."""

    def at(self, rows: Tensor) -> Rotation:
        """Some of the rows."""
        return Rotation(self.cos.index_select(0, rows), self.sin.index_select(0, rows))

    def of(self, heads: Tensor) -> Tensor:
        """Rotate queries or keys, [rows, heads, width]."""
        swapped = heads.roll(heads.shape[-1] // 2, dims=-1)
        return heads * self.cos + swapped * self.sin


def rotations(text: Any, first: int, count: int, like: Tensor) -> Rotation:
    """Rotary embedding of `count` positions from `first`, by the model's own module.

    Args:
        text: the text model.
        first: position of the first row.
        count: number of rows.
        like: has the number type and the device of the states.
    """
    positions = torch.arange(first, first + count, device=like.device)
    # Before transformers 5.23 the module answers for each of the three positions; here they agree.
    cos, sin = (
        found.reshape(-1, count, 1, found.shape[-1])[0]
        for found in text.rotary_emb(like, positions.expand(3, 1, -1))
    )
    low, high = sin.chunk(2, dim=-1)
    return Rotation(cos, torch.cat([-low, high], dim=-1))


def decode_step(text: Any, tokens: Tensor, rotation: Rotation, cache: PrefixCache) -> Tensor:
    """Run one new token of every completion through the text model.

    Args:
        text: the text model.
        tokens: int64 [rows].
        rotation: of their positions.
        cache: what they attend to; grows by these tokens.

    Returns:
        [rows, hidden], the states that predict the next tokens.
    """
    states: Tensor = text.embed_tokens(tokens)
    for number, layer in enumerate(text.layers):
        attention = layer.self_attn
        normed = _normed(layer.input_layernorm, states)
        queries, keys = attention.q_proj(normed), attention.k_proj(normed)
        by_head = len(normed), -1, rotation.cos.shape[-1]
        rotated = rotation.of(torch.cat([queries, keys], dim=-1).view(by_head))
        heads = queries.view(by_head).shape[1]
        queries, keys = rotated[:, :heads], rotated[:, heads:]
        values = attention.v_proj(normed).view(by_head)
        seen = cache.attend(number, queries, keys, values, attention.scaling)
        states = states + attention.o_proj(seen.flatten(1))
        states = states + layer.mlp(_normed(layer.post_attention_layernorm, states))
    return _normed(text.norm, states)


def _normed(norm: Any, states: Tensor) -> Tensor:
    """What the family's normalisation computes, rounding included, in two operations."""
    weight: Tensor = norm.weight
    return weight * rms_norm(states, weight.shape, eps=norm.variance_epsilon)
