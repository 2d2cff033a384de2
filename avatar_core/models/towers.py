"""What the towers compute, in fewer and larger operations.

Both towers attend within windows, and the family calls the attention of each window by itself: 32
calls a layer for a clip of 8 x 4 windows, most of whose time is that of starting. Windows of one
length are one batch here, and what is computed in it is the same, to the bit. Patches, which do not
overlap, are embedded by one product of matrices instead of a convolution.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward

WINDOWS = "avatar_windows_not_flash"
"""The family hands over all windows in one call only where it reads the word flash in the name."""


class Patches(nn.Conv3d):
    """A convolution whose kernel covers its whole input, as one product of matrices."""

    def forward(self, input: Tensor) -> Tensor:
        """Embed patches, [patches, channels, frames, height, width] to [patches, h, 1, 1, 1]."""
        found = nn.functional.linear(input.flatten(1), self.weight.flatten(1), self.bias)
        return found[:, :, None, None, None]


def quicken(towers: Any) -> None:
    """Let the towers embed patches and attend in fewer calls.

    What is saved of them stays as it is. Attention by flash-attn is left alone, which takes windows
    of any length as they are.
    """
    # Another class and not another module: parameters, their names and hooks stay. A convolution
    # that an adapter wraps is left as it is.
    if type(towers.visual.patch_embed.proj) is nn.Conv3d:
        towers.visual.patch_embed.proj.__class__ = Patches
    layers = [block.attn for block in towers.visual.blocks]
    layers += [layer.self_attn for layer in towers.audio_tower.layers]
    for attention in layers:
        if attention.config._attn_implementation == "sdpa":
            # The layers' view alone; the tower saves its configuration unchanged.
            attention.config = copy.copy(attention.config)
            attention.config._attn_implementation = WINDOWS


def _attention(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    cu_seq_lens_q: Tensor | None = None,
    **options: Any,
) -> tuple[Tensor, None]:
    """Attention within windows that follow each other.

    Args:
        module: the layer's attention.
        query: [1, heads, tokens, width].
        key: as `query`.
        value: as `query`.
        attention_mask: `None`.
        cu_seq_lens_q: int [windows + 1], where windows begin, and the end of the last; `None` for
            one window.
        options: of `sdpa_attention_forward`.

    Returns:
        [1, tokens, heads, width].
    """
    if cu_seq_lens_q is None:
        return sdpa_attention_forward(module, query, key, value, attention_mask, **options)
    parts = [part[0].transpose(0, 1) for part in (query, key, value)]
    starts = _starts_by_length(cu_seq_lens_q)
    order = None
    if len(starts) > 1:
        order = _tokens_of(starts).to(query.device)
        parts = [part[order] for part in parts]
    sizes = [length * len(places) for length, places in starts.items()]
    found = []
    for length, *group in zip(starts, *(torch.split(part, sizes) for part in parts), strict=True):
        q, k, v = (part.unflatten(0, (-1, length)).transpose(1, 2) for part in group)
        seen, _ = sdpa_attention_forward(module, q, k, v, attention_mask, **options)
        found.append(seen.flatten(0, 1))
    return (found[0] if order is None else torch.cat(found)[order.argsort()])[None], None


AttentionInterface.register(WINDOWS, _attention)


def _starts_by_length(edges: Tensor) -> dict[int, list[int]]:
    """Where the windows of each length begin."""
    places = edges.tolist()
    found: defaultdict[int, list[int]] = defaultdict(list)
    for start, end in zip(places, places[1:], strict=False):
        found[end - start].append(start)
    return found


def _tokens_of(starts: dict[int, list[int]]) -> Tensor:
    """Places of all tokens, windows of one length together."""
    return torch.cat(
        [
            (torch.tensor(places)[:, None] + torch.arange(length)).flatten()
            for length, places in starts.items()
        ]
    )
