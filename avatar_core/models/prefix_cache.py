"""Keys and values for decoding: of every prompt once, and of the completions behind it.

Completions stand in a grid of prompts by slots. A decoding step reads the keys of a prompt once for
all its completions, and appends its own in place; nothing is copied but when a completion leaves.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import pad

ROOM = 64
"""Tokens by which the space behind the prompts grows when it is full."""


class PrefixCache:
    """What the layers attend to while `slots` completions of each prompt grow by a token a step."""

    def __init__(
        self, prefixes: Sequence[tuple[Tensor, Tensor]], lengths: Tensor, slots: int
    ) -> None:
        """Begin behind a prefill.

        Args:
            prefixes: keys and values of each layer, [prompts, key heads, prefix, width].
            lengths: int64 [prompts], of the prefixes, which are padded on the right.
            slots: completions of each prompt.
        """
        keys = prefixes[0][0]
        prompts, key_heads, prefix, width = keys.shape
        self._grid = prompts, slots
        self._heads = torch.arange(key_heads, device=keys.device)
        self._prefixes = [(keys.flatten(0, 1), values.flatten(0, 1)) for keys, values in prefixes]
        outside = torch.arange(prefix, device=keys.device) >= lengths[:, None]
        bias = torch.zeros(outside.shape, dtype=keys.dtype, device=keys.device)
        bias = bias.masked_fill(outside, float("-inf")).repeat_interleave(key_heads, dim=0)
        self._bias = bias[:, None] if bool(outside.any()) else None
        space = (prompts * key_heads * slots, 0, width)
        self._own = [(keys.new_empty(space), keys.new_empty(space)) for _ in prefixes]
        self._length = 0

    def attend(
        self, layer: int, queries: Tensor, keys: Tensor, values: Tensor, scale: float
    ) -> Tensor:
        """Attention of one new token of every completion in one layer.

        Args:
            layer: its number; layers follow each other from 0 in every step.
            queries: [rows, heads, width], rotated; rows are the grid, prompt by prompt.
            keys: [rows, key heads, width], rotated.
            values: as `keys`.
            scale: factor of the scores.

        Returns:
            [rows, heads, width].
        """
        prefix_keys, prefix_values = self._prefixes[layer]
        own_keys, own_values = self._append(layer, keys, values)
        prefix, width = prefix_values.shape[1:]
        # Query heads of one key head are further queries of it; so are completions, to the prefix.
        grouped = (queries * scale).view(*self._grid, len(self._heads), -1, width).transpose(1, 2)
        shared = grouped.reshape(len(prefix_keys), -1, width)
        alone = shared.view(len(own_keys), -1, width)
        far = torch.bmm(shared, prefix_keys.mT)
        if self._bias is not None:
            far = far + self._bias
        near = torch.bmm(alone, own_keys.mT).view(*far.shape[:2], -1)
        scores = torch.cat([far, near], dim=-1)
        weights = scores.softmax(-1, dtype=torch.float32).to(queries.dtype)
        seen = torch.bmm(weights.narrow(2, 0, prefix), prefix_values).view(alone.shape)
        said = weights.narrow(2, prefix, self._length).view(*alone.shape[:2], -1)
        found = torch.baddbmm(seen, said, own_values)
        return found.view(grouped.shape).transpose(1, 2).reshape(queries.shape)

    def keep(self, rows: Tensor) -> None:
        """Go on with some completions alone.

        Args:
            rows: int64 [prompts that stay, slots], places of the completions in the grid so far,
                those of one prompt in each row.
        """
        prompts, slots = self._grid
        self._grid = len(rows), rows.shape[1]
        of_prompts = (rows[:, :1] // slots) * len(self._heads) + self._heads
        of_rows = (of_prompts[..., None] * slots + (rows % slots)[:, None]).flatten()
        if len(rows) < prompts:
            of_prompts = of_prompts.flatten()
            self._bias = None if self._bias is None else self._bias[of_prompts]
            self._prefixes = [
                (keys[of_prompts], values[of_prompts]) for keys, values in self._prefixes
            ]
        self._own = [(keys[of_rows], values[of_rows]) for keys, values in self._own]

    def _append(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Put the keys and values of a token behind those of the completions so far."""
        if layer == 0:
            self._length += 1
        if self._length > self._own[layer][0].shape[1]:
            longer_keys, longer_values = (pad(one, (0, 0, 0, ROOM)) for one in self._own[layer])
            self._own[layer] = (longer_keys, longer_values)
        own_keys, own_values = self._own[layer]
        return self._with(own_keys, keys), self._with(own_values, values)

    def _with(self, own: Tensor, new: Tensor) -> Tensor:
        """Own keys or values with those of a new token, [rows, key heads, width], at their end."""
        by_head = new.view(*self._grid, *new.shape[1:]).transpose(1, 2)
        own.select(1, self._length - 1).view(by_head.shape).copy_(by_head)
        return own.narrow(1, 0, self._length)
