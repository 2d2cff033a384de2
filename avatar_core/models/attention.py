"""Attention of completions to a prefix that they share, inside the family's own layers.

A layer hands its queries, keys and values to whatever stands in the place of its attention mask, if
that is one of the classes that attend by themselves; with an ordinary mask it does what it always
did. The prefix is attended to in one piece, with no mask, and no query meets the keys of another
completion: work and memory grow with the number of completions, not with its square.

The same lines serve CPU and CUDA, and `scaled_dot_product_attention` chooses the kernel: prefixes
are causal without a mask, for which both have kernels that never hold all pairs, and the mask of
branches is one branch by its prefix and itself, never a row by itself. FlexAttention would spare
that mask and each branch its copy of the prefix, and cost a second path, compiled anew for new
lengths; flash-attn would need the softmax over prefix and branch merged by hand, gradients
included. Neither is worth a second path.
"""

from __future__ import annotations

import copy
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from avatar_core.models.packing import PackedRows

IMPLEMENTATION = "avatar_shared_prefix"


@runtime_checkable
class Attends(Protocol):
    """Stands in the place of an attention mask."""

    def attend(
        self, layer: int, queries: Tensor, keys: Tensor, values: Tensor, scale: float
    ) -> Tensor:
        """Attention in one layer.

        Args:
            layer: its number.
            queries: [rows, heads, tokens, width], rotated.
            keys: [rows, key heads, tokens, width], rotated.
            values: as `keys`.
            scale: factor of the scores.

        Returns:
            [rows, tokens, heads, width].
        """
        ...


def share_prefixes(text: Any) -> None:
    """Let the layers of a text model take an `Attends` where they take an attention mask.

    Only the layers' view of the configuration changes: the model goes on making the masks of its
    own implementation, and saves its configuration unchanged.
    """
    config = copy.copy(text.config)
    config._attn_implementation = IMPLEMENTATION
    for layer in text.layers:
        layer.self_attn.config = config


def _attention(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | Attends | None,
    **options: Any,
) -> tuple[Tensor, None]:
    if isinstance(attention_mask, Attends):
        layer, scale = module.layer_idx, module.scaling
        return attention_mask.attend(layer, query, key, value, scale).contiguous(), None
    return sdpa_attention_forward(module, query, key, value, attention_mask, **options)


AttentionInterface.register(IMPLEMENTATION, _attention)


class PackedAttention:
    """Attention of packed rows: every prefix to itself, every branch to its prefix and itself.

    Branches are laid beside each other, padded to the longest, and their prefixes with them; what
    is computed by token stays packed.
    """

    def __init__(self, rows: PackedRows, like: Tensor) -> None:
        """Find out once what every layer needs.

        Args:
            rows: of a forward pass.
            like: has the number type and the device of the queries.
        """
        device = like.device
        count, width = rows.segments.shape
        prefixes = (rows.segments == 0).sum(dim=1)
        branches, longest = rows.mask.shape
        self._prefix = int(prefixes.max())
        self._shape = branches, longest
        self._owners = rows.owners.to(device)
        self._places = rows.places.flatten().to(device)
        # Results of prefixes come first, of all columns up to the longest, then those of branches.
        sources = torch.zeros(count, width, dtype=torch.long)
        columns = torch.arange(self._prefix)
        sources[:, : self._prefix] = torch.arange(count)[:, None] * self._prefix + columns
        after = count * self._prefix + torch.arange(branches * longest).view(branches, longest)
        sources.view(-1)[rows.places[rows.mask]] = after[rows.mask]
        self._sources = sources.flatten().to(device)
        before = columns < prefixes[rows.owners][:, None, None]
        steps = torch.arange(longest)
        seen = torch.cat(
            [
                before.expand(branches, longest, -1),
                (steps <= steps[:, None]).expand(branches, -1, -1),
            ],
            dim=2,
        )
        hidden = torch.zeros(seen.shape).masked_fill(~seen, float("-inf"))
        self._bias = hidden[:, None].to(device, like.dtype)

    def attend(
        self, layer: int, queries: Tensor, keys: Tensor, values: Tensor, scale: float
    ) -> Tensor:
        """Attention in one layer; see `Attends`. Padding gets something finite."""
        del layer
        rows, heads, _, width = queries.shape
        first = slice(self._prefix)
        prefix_keys, prefix_values = keys[:, :, first], values[:, :, first]
        near = scaled_dot_product_attention(
            queries[:, :, first], prefix_keys, prefix_values,
            is_causal=True, scale=scale, enable_gqa=True,
        )  # fmt: skip
        # Query heads of one key head become further queries of it, so that no key is repeated.
        own = self._branches(queries).reshape(len(self._owners), keys.shape[1], -1, width)
        far = scaled_dot_product_attention(
            own,
            torch.cat([self._owned(prefix_keys, rows), self._branches(keys)], dim=2),
            torch.cat([self._owned(prefix_values, rows), self._branches(values)], dim=2),
            attn_mask=self._bias_of(own.shape[2]),
            scale=scale,
        ).view(len(own), heads, -1, width)
        found = torch.cat([_by_token(near), _by_token(far)])
        return found.index_select(0, self._sources).view(rows, -1, heads, width)

    def _bias_of(self, queries: int) -> Tensor:
        """The mask for this many queries a key head; all layers, and their gradients, share it."""
        if self._bias.shape[2] < queries:
            self._bias = self._bias.repeat(1, 1, queries // self._bias.shape[2], 1)
        return self._bias

    def _branches(self, packed: Tensor) -> Tensor:
        """[rows, heads, tokens, width] -> [branches, heads, longest branch, width]."""
        flat = packed.transpose(1, 2).flatten(0, 1).flatten(1)
        own = flat.index_select(0, self._places)
        return own.view(*self._shape, *packed.shape[1::2]).transpose(1, 2)

    def _owned(self, prefixes: Tensor, rows: int) -> Tensor:
        """The prefix of every branch: [rows, …] -> [branches, …]."""
        if rows == 1:
            return prefixes.expand(len(self._owners), -1, -1, -1)
        return prefixes.index_select(0, self._owners)


def _by_token(found: Tensor) -> Tensor:
    """[rows, heads, tokens, width] -> [rows · tokens, heads · width]."""
    return found.transpose(1, 2).flatten(0, 1).flatten(1)
