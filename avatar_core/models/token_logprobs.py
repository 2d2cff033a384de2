"""Log-probabilities of tokens, with the logits of a whole vocabulary held for a few rows at a time.

    log p(t) = z_t − log Σᵥ exp z_v        ∂ log p(t) / ∂ z = onehot(t) − softmax(z)

At 152,064 entries the logits of 2,048 tokens take 1.2 GB in float32, and what automatic
differentiation keeps of them several times as much. Here they are made in chunks of rows, worked on
in place and made again in the backward pass, so that one chunk exists at a time in both directions.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.utils.checkpoint import checkpoint

LOGIT_BYTES = 256 << 20
"""Bytes of float32 logits that are held at once."""


def chunk_rows(vocabulary: int, budget: int = LOGIT_BYTES) -> int:
    """Rows of float32 logits that fit a number of bytes, at least one.

    Args:
        vocabulary: entries of a row.
        budget: bytes.
    """
    return max(1, budget // (4 * vocabulary))


def token_logprobs(states: Tensor, targets: Tensor, head: nn.Module, *, rows: int) -> Tensor:
    """Log softmax of `head(states)` at `targets`, equal in value and gradient to the plain formula.

    What fits one chunk is kept for the backward pass. Of more, each chunk is computed again there,
    which costs another product of states and head.

    Args:
        states: [n, hidden], what predicts each token.
        targets: int64 [n], the tokens.
        head: maps [m, hidden] to logits [m, vocabulary]; the logits are overwritten, so it must
            neither keep them nor return its input.
        rows: of a chunk; see `chunk_rows`.

    Returns:
        [n], in float32 or, for logits in float64, in that; with gradients when enabled.
    """

    def chunk(some_states: Tensor, some_targets: Tensor) -> Tensor:
        values: Tensor = _ChosenLogprobs.apply(head(some_states), some_targets)
        return values

    if len(states) <= rows:
        return chunk(states, targets)
    pairs = zip(torch.split(states, rows), torch.split(targets, rows), strict=True)
    if not torch.is_grad_enabled():
        return torch.cat([chunk(*pair) for pair in pairs])
    # A head draws no random numbers, so that there is no generator whose state would matter.
    again: dict[str, Any] = {"use_reentrant": False, "preserve_rng_state": False}
    return torch.cat([checkpoint(chunk, *pair, **again) for pair in pairs])


class _ChosenLogprobs(torch.autograd.Function):
    """Logits [m, vocabulary] to log-probabilities [m] in the memory of the logits.

    Their place holds the softmax until the backward pass and then their gradient. Both overwrite
    what automatic differentiation watches: a head that needs its logits, or a second backward pass
    over the same graph, is refused by it.
    """

    @staticmethod
    def forward(ctx: Any, logits: Tensor, targets: Tensor) -> Tensor:
        ctx.dtype = logits.dtype
        values = logits.to(torch.promote_types(logits.dtype, torch.float32))
        values.sub_(values.amax(-1, keepdim=True))
        chosen = values.gather(-1, targets[:, None]).squeeze(-1)
        total = values.exp_().sum(-1)
        ctx.save_for_backward(values.div_(total[:, None]), targets)
        return chosen - total.log()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        softmax, targets = ctx.saved_tensors
        found = softmax.mul_(-gradient[:, None])
        found.scatter_add_(-1, targets[:, None], gradient[:, None])
        return found.to(ctx.dtype), None
