"""Attention of packed rows against dense attention under the mask that defines it."""

from __future__ import annotations

import copy

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from avatar_core.models.attention import IMPLEMENTATION, PackedAttention
from avatar_core.models.packing import PackedRows, pack_rows
from avatar_core.models.thinker import parts_of
from tests.models.prompts import tiny_policy

HEADS, KEY_HEADS, WIDTH = 6, 2, 8

LAYOUTS = {
    "one row": ([5], [[3, 1, 4]]),
    "rows of different prefixes": ([5, 2, 7], [[3, 1], [2, 6, 1], [4]]),
    "one completion each": ([4, 6], [[5], [2]]),
    "one token everywhere": ([1], [[1, 1]]),
}


def rows_of(prefixes: list[int], lengths: list[list[int]]) -> PackedRows:
    positions = torch.arange(max(prefixes)).expand(3, len(prefixes), -1)
    return pack_rows(prefixes, positions, [[torch.arange(n) for n in row] for row in lengths])


def drawn(rows: PackedRows) -> tuple[Tensor, Tensor, Tensor]:
    """Queries, keys and values as a layer would have them."""
    generator = torch.Generator().manual_seed(0)
    count, width = rows.segments.shape
    return (
        torch.randn(count, HEADS, width, WIDTH, generator=generator, requires_grad=True),
        torch.randn(count, KEY_HEADS, width, WIDTH, generator=generator, requires_grad=True),
        torch.randn(count, KEY_HEADS, width, WIDTH, generator=generator, requires_grad=True),
    )


def dense_mask(segments: Tensor) -> Tensor:
    """Who attends to whom in packed rows, bool [rows, 1, tokens, tokens], query by key.

    The prefix is segment 0, its completions are 1 to G, padding is negative. A query sees itself
    and what stands before it in the prefix or in its own completion; padding sees itself alone.
    """
    query, key = segments.unsqueeze(2), segments.unsqueeze(1)
    causal = torch.ones(segments.shape[1], segments.shape[1]).tril().bool()
    related = (query >= 0) & ((key == 0) | (key == query))
    return ((causal & related) | torch.eye(segments.shape[1]).bool()).unsqueeze(1)


def dense(rows: PackedRows, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    mask = dense_mask(rows.segments)
    every = HEADS // KEY_HEADS
    return scaled_dot_product_attention(
        queries,
        keys.repeat_interleave(every, dim=1),
        values.repeat_interleave(every, dim=1),
        attn_mask=mask,
        scale=0.3,
    ).transpose(1, 2)


def test_the_mask_by_hand() -> None:
    # Positions: p0 p1 a0 a1 b0 pad. a sees p and earlier a; b sees p, not a; pad sees itself.
    allowed = dense_mask(torch.tensor([[0, 0, 1, 1, 2, -1]]))
    assert allowed.shape == (1, 1, 6, 6)
    assert allowed[0, 0].int().tolist() == [
        [1, 0, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0],
        [1, 1, 1, 0, 0, 0],
        [1, 1, 1, 1, 0, 0],
        [1, 1, 0, 0, 1, 0],
        [0, 0, 0, 0, 0, 1],
    ]


def test_results_and_gradients_are_those_of_dense_attention() -> None:
    cases = 0
    for name, layout in LAYOUTS.items():
        rows = rows_of(*layout)
        parts = drawn(rows)
        real = rows.segments >= 0
        wanted = dense(rows, *parts)[real]
        got = PackedAttention(rows, parts[0]).attend(0, *parts, 0.3)[real]
        torch.testing.assert_close(got, wanted, rtol=0, atol=1e-6, msg=name)
        weights = torch.randn(wanted.shape, generator=torch.Generator().manual_seed(1))
        for one, other in zip(
            torch.autograd.grad((got * weights).sum(), parts),
            torch.autograd.grad((wanted * weights).sum(), parts),
            strict=True,
        ):
            torch.testing.assert_close(one, other, rtol=0, atol=1e-5, msg=name)
            cases += 1
    # Queries, keys and values of four layouts.
    assert cases == 12


def test_padding_is_finite() -> None:
    rows = rows_of([5, 2], [[3, 1], [1]])
    queries, keys, values = drawn(rows)
    assert (rows.segments < 0).any()
    found = PackedAttention(rows, queries).attend(0, queries, keys, values, 0.3)
    assert found.isfinite().all()


def test_only_the_layers_know_of_it_and_a_copy_of_the_model_too() -> None:
    policy = tiny_policy()
    text = parts_of(copy.deepcopy(policy.model)).text
    assert text.config._attn_implementation == "sdpa"
    assert [layer.self_attn.config._attn_implementation for layer in text.layers] == (
        [IMPLEMENTATION] * 4
    )
