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
        self._prefixes = list(prefixes)
        keys = prefixes[0][0]
        columns = torch.arange(keys.shape[2], device=keys.device)
        outside = columns >= lengths[:, None]
        bias = torch.zeros(outside.shape, dtype=keys.dtype, device=keys.device)
        bias = bias.masked_fill(outside, float("-inf"))[:, None, None]
        self._bias = bias if bool(outside.any()) else None
        space = (len(keys) * slots, keys.shape[1], 0, keys.shape[3])
        self._own = [(keys.new_empty(space), keys.new_empty(space)) for _ in prefixes]
        self._length = 0

    def attend(
        self, layer: int, queries: Tensor, keys: Tensor, values: Tensor, scale: float
    ) -> Tensor:
        """Attention of one new token of every completion; see `attention.Attends`."""
        prefix_keys, prefix_values = self._prefixes[layer]
        own_keys, own_values = self._append(layer, keys, values)
        rows, heads, _, width = queries.shape
        prompts, key_heads, prefix, _ = prefix_keys.shape
        grid = (prompts, rows // prompts, key_heads, heads // key_heads)
        grouped = (queries * scale).view(*grid, width)
        far = _by_prompt(grouped) @ prefix_keys.mT
        if self._bias is not None:
            far = far + self._bias
        near = grouped.flatten(0, 1) @ own_keys.mT
        scores = torch.cat([far, _by_prompt(near.view(*grid, -1))], dim=-1)
        weights = scores.softmax(-1, dtype=torch.float32).to(queries.dtype)
        far, near = weights[..., :prefix], weights[..., prefix:]
        seen = _by_completion(far @ prefix_values, grid)
        said = _by_completion(near, grid).flatten(0, 1) @ own_values
        return (seen.flatten(0, 1) + said).reshape(rows, 1, heads, width)

    def keep(self, prompts: Tensor, rows: Tensor) -> None:
        """Go on with some completions alone.

        Args:
            prompts: int64, the prompts that stay.
            rows: int64 [prompts · slots], their completions, as many of each prompt.
        """
        if len(prompts) < len(self._prefixes[0][0]):
            self._bias = None if self._bias is None else self._bias[prompts]
            self._prefixes = [(keys[prompts], values[prompts]) for keys, values in self._prefixes]
        self._own = [(keys[rows], values[rows]) for keys, values in self._own]

    def _append(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Put the keys and values of a token behind those of the completions so far."""
        if layer == 0:
            self._length += 1
        if self._length > self._own[layer][0].shape[2]:
            longer_keys, longer_values = (pad(one, (0, 0, 0, ROOM)) for one in self._own[layer])
            self._own[layer] = (longer_keys, longer_values)
        own_keys, own_values = self._own[layer]
        own_keys[:, :, self._length - 1] = keys[:, :, 0]
        own_values[:, :, self._length - 1] = values[:, :, 0]
        return own_keys[:, :, : self._length], own_values[:, :, : self._length]


def _by_prompt(grouped: Tensor) -> Tensor:
    """[prompts, slots, key heads, heads of each, n] -> [prompts, key heads, slots · heads, n]."""
    return grouped.transpose(1, 2).flatten(2, 3)


def _by_completion(shared: Tensor, grid: tuple[int, int, int, int]) -> Tensor:
    """The inverse of `_by_prompt`."""
    prompts, slots, key_heads, heads = grid
    return shared.reshape(prompts, key_heads, slots, heads, -1).transpose(1, 2)
