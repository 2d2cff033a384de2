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

from avatar_core.models.decoding_step import decode_step, rotations
from avatar_core.models.policy import Encoded, Generated, Sampling
from avatar_core.models.prefix_cache import PrefixCache
from avatar_core.models.sampling import draw_tokens, uniforms_from_seeds
from avatar_core.phases import phase


class Step(NamedTuple):
    """One decoding step: a row for every completion still open, and for some that have ended."""

    tokens: Tensor
    """int64 [rows], as drawn."""
    logprobs: Tensor
    """float32 [rows], full softmax at temperature 1."""
    numbers: Tensor
    """int64 [rows], which completion it is; -1 for one that had ended before."""


class Prefilled(NamedTuple):
    """Prompts as decoding begins behind them."""

    hidden: Tensor
    """[prompts, hidden], the state that predicts the first token."""
    positions: Tensor
    """int64 [prompts], rotary position of that token."""
    layers: list[tuple[Tensor, Tensor]]
    """Keys and values of each layer, [prompts, key heads, prefix, width]."""


@torch.inference_mode()
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

    Runs in inference mode, without what autograd notes of every operation; what is computed from
    the steps outside of it, as `collect` does, are ordinary tensors.

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
    uniforms = uniforms_from_seeds([seed for row in seeds for seed in row], sampling.max_new_tokens)
    uniforms = uniforms.to(device)
    prompts = prefill(language_model, encoded)
    grid = completion_grid([len(row) for row in seeds]).to(device)
    open_rows, slots = len(uniforms), grid.shape[1]
    cache = PrefixCache(prompts.layers, torch.tensor(encoded.lengths, device=device), slots)
    first, last = (int(edge) for edge in prompts.positions.aminmax())
    table = rotations(
        language_model, first, last - first + sampling.max_new_tokens, like=prompts.hidden
    )
    places = (prompts.positions - first).repeat_interleave(slots)
    hidden = prompts.hidden.repeat_interleave(slots, dim=0)
    for step in range(sampling.max_new_tokens):
        numbers = grid.flatten()
        logits = head(hidden).float()
        allowed = logits.index_fill(-1, forbidden_ids, float("-inf"))
        tokens = _draw(allowed, uniforms[numbers, step], sampling)
        yield Step(tokens, logits.log_softmax(-1).gather(-1, tokens[:, None]).squeeze(-1), numbers)
        grid = grid.masked_fill(torch.isin(tokens, stop_ids).view_as(grid), -1)
        before, open_rows = open_rows, int((grid >= 0).sum())
        if step + 1 == sampling.max_new_tokens or open_rows == 0:
            return
        if open_rows < before:
            kept = still_running(grid >= 0)
            cache.keep(kept)
            grid, rows = grid.flatten()[kept], kept.flatten()
            tokens, places = tokens[rows], places[rows]
        hidden = decode_step(language_model, tokens, table.at(places + step), cache)


@phase("prefill")
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


def _draw(logits: Tensor, uniforms: Tensor, sampling: Sampling) -> Tensor:
    return draw_tokens(
        logits,
        uniforms,
        temperature=sampling.temperature,
        top_k=sampling.top_k,
        top_p=sampling.top_p,
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


def collect(
    steps: Iterator[Step], group_sizes: Sequence[int], stop_ids: Tensor
) -> list[list[Generated]]:
    """Cut decoding steps into completions, grouped by prompt, on the CPU."""
    tokens, logprobs, numbers = (torch.cat(parts).cpu() for parts in zip(*steps, strict=True))
    # Completion by completion, its tokens in the order of the steps.
    order = numbers.argsort(stable=True)[int((numbers < 0).sum()) :]
    lengths = numbers[order].bincount(minlength=sum(group_sizes)).tolist()
    stops = set(stop_ids.tolist())
    rows = zip(
        torch.split(tokens[order], lengths), torch.split(logprobs[order], lengths), strict=True
    )
    completions = iter(
        [Generated(ids.clone(), values.clone(), int(ids[-1]) not in stops) for ids, values in rows]
    )
    return [[next(completions) for _ in range(size)] for size in group_sizes]
