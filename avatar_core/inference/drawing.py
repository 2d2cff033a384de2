"""Completions of one encoded prompt: greedy piece by piece, or several drawn together."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from avatar_core.config.inference import InferConfig
from avatar_core.models.policy import Encoded, Policy, Sampling
from avatar_core.seeds import seed_from

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


class Drawn(NamedTuple):
    """One completion."""

    text: str
    """The completion without special tokens."""
    truncated: bool
    """Generation stopped at the length limit."""


def greedy_pieces(policy: Policy, encoded: Encoded, limit: int) -> Generator[str, None, Drawn]:
    """The greedy completion of one prompt of at most `limit` tokens, piece by piece."""
    tokens: list[int] = []
    sampling = Sampling(max_new_tokens=limit, temperature=0.0)
    pieces = []
    for piece in text_pieces(_kept(policy.stream(encoded, sampling, 0), tokens), policy.decode):
        pieces.append(piece)
        yield piece
    # The end of a turn is a special token, which decodes to nothing.
    truncated = len(tokens) == limit and bool(policy.decode(torch.tensor(tokens[-1:])))
    return Drawn("".join(pieces), truncated)


def draw_texts(policy: Policy, encoded: Encoded, limit: int, config: InferConfig) -> list[Drawn]:
    """`config.samples` completions of one prompt, drawn as `config` says."""
    seeds = [seed_from(config.seed, "infer", draw) for draw in range(config.samples)]
    sampling = Sampling(limit, temperature=config.temperature, top_k=config.top_k)
    (group,) = policy.generate(encoded, sampling, [seeds])
    return [Drawn(policy.decode(made.token_ids), made.truncated) for made in group]


def text_pieces(tokens: Iterable[int], decode: Callable[[Tensor], str]) -> Iterator[str]:
    """Decode tokens as they come; a character whose bytes are not complete yet waits for the rest.

    The pieces joined are what `decode` gives for all tokens together.

    Args:
        tokens: token ids in order.
        decode: gives the text of int64 [n] token ids, broken characters as U+FFFD.
    """
    pending: list[int] = []
    for token in tokens:
        pending.append(token)
        text = decode(torch.tensor(pending))
        if text and not text.endswith(REPLACEMENT):
            yield text
            pending = []
    rest = decode(torch.tensor(pending)) if pending else ""
    if rest:
        yield rest


def _kept(tokens: Iterable[int], into: list[int]) -> Iterator[int]:
    """Pass tokens on and remember them."""
    for token in tokens:
        into.append(token)
        yield token
