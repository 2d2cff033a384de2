"""Drawing tokens from logits: pure functions, one uniform number per token and row.

A token is the inverse of the cumulative distribution at that number, so a completion depends on its
own seed alone and not on which other completions share the batch.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def uniforms_from_seeds(seeds: Sequence[int], tokens: int) -> Tensor:
    """Uniform numbers in [0, 1), float64 [rows, tokens]; row i depends on seed i alone."""
    rows = [
        torch.rand(tokens, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        for seed in seeds
    ]
    return torch.stack(rows) if rows else torch.empty(0, tokens, dtype=torch.float64)


def truncate_distribution(logits: Tensor, top_k: int, top_p: float) -> Tensor:
    """Set to -inf every logit outside the `top_k` largest, then outside the `top_p` nucleus.

    Args:
        logits: [rows, vocabulary], already divided by the temperature.
        top_k: kept per row; 0 keeps all. Ties at the border are all kept.
        top_p: smallest set of tokens whose probability reaches this is kept; 1 keeps all.
    """
    if 0 < top_k < logits.shape[-1]:
        smallest = logits.topk(top_k, dim=-1).values[:, -1:]
        logits = logits.masked_fill(logits < smallest, float("-inf"))
    if top_p < 1.0:
        ordered, order = logits.sort(dim=-1, descending=True)
        before = ordered.softmax(-1).cumsum(-1) - ordered.softmax(-1)
        outside = torch.zeros_like(logits, dtype=torch.bool).scatter(-1, order, before >= top_p)
        logits = logits.masked_fill(outside, float("-inf"))
    return logits


def draw_tokens(
    logits: Tensor, uniforms: Tensor, *, temperature: float, top_k: int, top_p: float
) -> Tensor:
    """Draw one token per row.

    Args:
        logits: float32 [rows, vocabulary]; forbidden tokens are -inf.
        uniforms: float64 [rows] in [0, 1).
        temperature: 0 takes the most likely token.
        top_k: see `truncate_distribution`.
        top_p: see `truncate_distribution`.

    Returns:
        int64 [rows].
    """
    if temperature == 0:
        return logits.argmax(-1)
    kept = truncate_distribution(logits / temperature, top_k, top_p)
    cumulative = kept.double().softmax(-1).cumsum(-1)
    # Scaled by the sum as computed, so that rounding never selects past the last token with mass.
    targets = uniforms.unsqueeze(-1) * cumulative[:, -1:]
    drawn = torch.searchsorted(cumulative, targets, right=True).squeeze(-1)
    # Without mass anywhere, as NaN logits leave it: some token, whose log-probability is NaN.
    return drawn.clamp(max=logits.shape[-1] - 1)
