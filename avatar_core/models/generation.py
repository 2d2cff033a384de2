"""Sampling a group of completions from one prefill of its prompt.

The prompt's keys and values are read by all completions, neither copied nor recomputed. Completions
that have ended leave the batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence
from transformers import DynamicCache

from avatar_core.models.policy import Encoded, Generated, Sampling
from avatar_core.models.prefix_cache import PrefixCache
from avatar_core.models.sampling import draw_tokens, uniforms_from_seeds


class Step(NamedTuple):
    """One decoding step over all completions."""

    tokens: Tensor
    """int64 [completions]; 0 for those that had ended before."""
    logprobs: Tensor
    """float32 [completions], full softmax at temperature 1; 0 for those that had ended before."""
    running: Tensor
    """bool [completions]: still open when this token was drawn."""


class Prefilled(NamedTuple):
    """Prompts as decoding begins behind them."""

    hidden: Tensor
    """[prompts, hidden], the state that predicts the first token."""
    positions: Tensor
    """int64 [prompts], rotary position of that token."""
    layers: list[tuple[Tensor, Tensor]]
    """Keys and values of each layer, [prompts, key heads, prefix, width]."""


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
        language_model: the thinker's text model, whose layers take a `PrefixCache`.
        head: the output projection.
        encoded: prompts, right-padded.
        sampling: how tokens are drawn.
        seeds: seeds[i][j] seeds completion j of prompt i.
        stop_ids: int64, tokens that end a completion (and belong to it).
        forbidden_ids: int64, tokens never drawn (media placeholders and the like).
    """
    device = encoded.embeddings.device
    uniforms = uniforms_from_seeds([seed for row in seeds for seed in row], sampling.max_new_tokens)
    uniforms = uniforms.to(device)
    prompts = prefill(language_model, encoded)
    grid = completion_grid([len(row) for row in seeds]).to(device)
    cache = PrefixCache(
        prompts.layers, torch.tensor(encoded.lengths, device=device), slots=grid.shape[1]
    )
    hidden = prompts.hidden.repeat_interleave(grid.shape[1], dim=0)
    positions = prompts.positions.repeat_interleave(grid.shape[1])
    running = grid.flatten() >= 0
    for step in range(sampling.max_new_tokens):
        logits = head(hidden).float()
        tokens = draw_tokens(
            logits.index_fill(-1, forbidden_ids, float("-inf")),
            uniforms[grid.flatten(), step],
            temperature=sampling.temperature,
            top_k=sampling.top_k,
            top_p=sampling.top_p,
        )
        logprobs = logits.log_softmax(-1).gather(-1, tokens[:, None]).squeeze(-1)
        yield _spread(tokens, logprobs, torch.where(running, grid.flatten(), -1), len(uniforms))
        running &= ~torch.isin(tokens, stop_ids)
        if step + 1 == sampling.max_new_tokens or not bool(running.any()):
            return
        kept = still_running(running.view(grid.shape))
        if kept.numel() < grid.numel():
            rows = kept.flatten()
            cache.keep(kept[:, 0] // grid.shape[1], rows)
            grid = grid.flatten()[kept]
            tokens, positions, running = tokens[rows], positions[rows], running[rows]
        hidden = language_model(
            inputs_embeds=language_model.embed_tokens(tokens)[:, None],
            position_ids=(positions + step).expand(3, -1)[..., None],
            attention_mask={"full_attention": cache},
            use_cache=False,
        ).last_hidden_state[:, -1]


def prefill(language_model: Any, encoded: Encoded) -> Prefilled:
    """Run the prompts through the text model, each once."""
    # Layers of other kinds than this model's have neither keys nor values.
    cache: Any = DynamicCache(config=language_model.config)
    states = language_model(
        inputs_embeds=encoded.embeddings,
        position_ids=encoded.positions,
        # Causal alone: padding stands on the right, where no token of a prompt looks.
        attention_mask={"full_attention": None},
        past_key_values=cache,
        use_cache=True,
    ).last_hidden_state
    last = torch.tensor(encoded.lengths, device=states.device) - 1
    return Prefilled(
        hidden=states[torch.arange(len(last), device=states.device), last],
        positions=encoded.positions.amax(dim=(0, 2)) + 1,
        layers=[(layer.keys, layer.values) for layer in cache.layers],
    )


def completion_grid(sizes: Sequence[int]) -> Tensor:
    """Number the completions of groups: int64 [prompts, largest group], -1 where there is none."""
    numbers = torch.split(torch.arange(sum(sizes)), list(sizes))
    return pad_sequence(list(numbers), batch_first=True, padding_value=-1)


def still_running(running: Tensor) -> Tensor:
    """The smallest grid that holds all completions still running.

    Args:
        running: bool [prompts, slots], true somewhere.

    Returns:
        int64 [prompts that go on, slots], places in the flat grid: those still running first, then
        others where a prompt has fewer.
    """
    counts = running.sum(dim=1)
    order = running.int().argsort(dim=1, descending=True, stable=True)[:, : int(counts.max())]
    starts = torch.arange(len(running), device=running.device)[:, None] * running.shape[1]
    return (starts + order)[counts > 0]


def _spread(tokens: Tensor, logprobs: Tensor, numbers: Tensor, count: int) -> Step:
    """Rows of the grid as rows of all completions; `numbers` is -1 for those without one."""
    places = torch.where(numbers >= 0, numbers, count)
    return Step(
        tokens.new_zeros(count + 1).scatter(0, places, tokens)[:-1],
        logprobs.new_zeros(count + 1).scatter(0, places, logprobs)[:-1],
        torch.zeros(count + 1, dtype=torch.bool, device=places.device).scatter(
            0, places, numbers >= 0
        )[:-1],
    )


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
