"""Sampling a group of completions from one prefill of its prompt.

The prompt's keys and values are expanded to the completions, not recomputed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from transformers import DynamicCache

from avatar_core.models.policy import Encoded, Generated, Sampling
from avatar_core.models.sampling import draw_tokens, uniforms_from_seeds


class Step(NamedTuple):
    """One decoding step over all rows."""

    tokens: Tensor
    """int64 [rows]; 0 for rows that had ended before."""
    logprobs: Tensor
    """float32 [rows], full softmax at temperature 1."""
    running: Tensor
    """bool [rows]: the row was still open when this token was drawn."""


@torch.no_grad()
def decode_steps(
    language_model: Any,
    head: nn.Module,
    encoded: Encoded,
    sampling: Sampling,
    seeds: Sequence[Sequence[int]],
    *,
    stop_ids: Tensor,
    forbidden_ids: Tensor,
) -> Iterator[Step]:
    """Prefill each prompt once, then decode all completions together until every row has stopped.

    Args:
        language_model: the thinker's text model.
        head: the output projection.
        encoded: prompts, right-padded.
        sampling: how tokens are drawn.
        seeds: seeds[i][j] seeds completion j of prompt i.
        stop_ids: int64, tokens that end a completion (and belong to it).
        forbidden_ids: int64, tokens never drawn (media placeholders and the like).
    """
    device = encoded.embeddings.device
    lengths = torch.tensor(encoded.lengths, device=device)
    owners = torch.tensor([prompt for prompt, row in enumerate(seeds) for _ in row], device=device)
    uniforms = uniforms_from_seeds([seed for row in seeds for seed in row], sampling.max_new_tokens)
    uniforms = uniforms.to(device)
    columns = torch.arange(encoded.embeddings.shape[1], device=device)
    causal = columns[None, :] <= columns[:, None]
    valid = columns[None, :] < lengths[:, None]
    cache = DynamicCache(config=language_model.config)
    hidden = language_model(
        inputs_embeds=encoded.embeddings,
        position_ids=encoded.positions,
        attention_mask={"full_attention": causal[None, None]},
        past_key_values=cache,
        use_cache=True,
    ).last_hidden_state
    hidden = hidden[torch.arange(len(lengths), device=device), lengths - 1][owners]
    cache.batch_select_indices(owners)
    visible = valid[owners]
    positions = (encoded.positions.amax(dim=(0, 2)) + 1)[owners]
    running = torch.ones(len(owners), dtype=torch.bool, device=device)
    for step in range(sampling.max_new_tokens):
        logits = head(hidden).float()
        allowed = logits.index_fill(-1, forbidden_ids, float("-inf"))
        tokens = draw_tokens(
            allowed,
            uniforms[:, step],
            temperature=sampling.temperature,
            top_k=sampling.top_k,
            top_p=sampling.top_p,
        ).masked_fill(~running, 0)
        logprobs = logits.log_softmax(-1).gather(-1, tokens[:, None]).squeeze(-1)
        yield Step(tokens, logprobs, running.clone())
        running &= ~torch.isin(tokens, stop_ids)
        if step + 1 == sampling.max_new_tokens or not bool(running.any()):
            return
        visible = torch.cat([visible, running.new_ones(len(owners), 1)], dim=1)
        hidden = language_model(
            inputs_embeds=language_model.embed_tokens(tokens)[:, None],
            position_ids=(positions + step).expand(3, -1)[..., None],
            attention_mask={"full_attention": visible[:, None, None]},
            past_key_values=cache,
            use_cache=True,
        ).last_hidden_state[:, -1]


def collect(
    steps: Iterator[Step], group_sizes: Sequence[int], stop_ids: Tensor
) -> list[list[Generated]]:
    """Cut decoding steps into completions, grouped by prompt, on the CPU."""
    history = list(steps)
    tokens = torch.stack([step.tokens for step in history], dim=1).cpu()
    logprobs = torch.stack([step.logprobs for step in history], dim=1).cpu()
    lengths = torch.stack([step.running for step in history], dim=1).sum(1).tolist()
    stops = set(stop_ids.tolist())
    groups: list[list[Generated]] = []
    row = 0
    for size in group_sizes:
        group = []
        for index in range(row, row + size):
            ids = tokens[index, : lengths[index]].clone()
            ended = int(ids[-1]) in stops
            group.append(Generated(ids, logprobs[index, : lengths[index]].clone(), not ended))
        groups.append(group)
        row += size
    return groups
