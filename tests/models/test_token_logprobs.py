"""Chunked log-probabilities equal the plain formula, and hold one chunk of logits at a time."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from avatar_core.models.token_logprobs import LOGIT_BYTES, chunk_rows, token_logprobs

TOKENS, HIDDEN, VOCABULARY = 23, 12, 301
TOLERANCE = {torch.float32: 1e-6, torch.float64: 1e-12}
Logprobs = Callable[[Tensor, Tensor, nn.Module], Tensor]


class Toy(nn.Module):
    """Token embeddings, one layer and a head."""

    def __init__(self, dtype: torch.dtype, *, tied: bool = False) -> None:
        super().__init__()
        self.embed = nn.Embedding(VOCABULARY, HIDDEN, dtype=dtype)
        self.layer = nn.Linear(HIDDEN, HIDDEN, dtype=dtype)
        self.head = nn.Linear(HIDDEN, VOCABULARY, bias=not tied, dtype=dtype)
        if tied:
            self.head.weight = self.embed.weight

    def forward(self, ids: Tensor) -> Tensor:
        states: Tensor = self.layer(self.embed(ids)).tanh()
        return states


def plain(states: Tensor, targets: Tensor, head: nn.Module) -> Tensor:
    logits: Tensor = head(states)
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    return logits.log_softmax(-1).gather(-1, targets[:, None]).squeeze(-1)


def in_chunks(rows: int) -> Logprobs:
    def logprobs(states: Tensor, targets: Tensor, head: nn.Module) -> Tensor:
        return token_logprobs(states, targets, head, rows=rows)

    return logprobs


def results(model: Any, logprobs: Logprobs) -> tuple[Tensor, dict[str, Tensor]]:
    """Log-probabilities of some tokens, and the gradients of a weighted sum of them."""
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(VOCABULARY, (TOKENS,), generator=generator)
    targets = torch.randint(VOCABULARY, (TOKENS,), generator=generator)
    weights = torch.randn(TOKENS, generator=generator, dtype=torch.float64)
    values = logprobs(model(ids), targets, model.head)
    (values * weights).sum().backward()
    found = {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}
    model.zero_grad(set_to_none=True)
    return values.detach(), found


def check(model: Any, rows: int, tolerance: float) -> set[str]:
    """Compare with the plain formula; gives the names of the weights that have a gradient."""
    values, gradients = results(model, in_chunks(rows))
    expected, expected_gradients = results(model, plain)
    torch.testing.assert_close(values, expected, rtol=tolerance, atol=tolerance)
    assert gradients.keys() == expected_gradients.keys()
    for name, gradient in gradients.items():
        assert gradient.abs().max() > 1e-3, name
        torch.testing.assert_close(
            gradient, expected_gradients[name], rtol=tolerance, atol=tolerance, msg=name
        )
    return set(gradients)


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("rows", [1, 5, TOKENS - 1, TOKENS, 1000])
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_values_and_gradients_are_those_of_the_plain_formula(dtype: torch.dtype, rows: int) -> None:
    compared = check(Toy(dtype), rows, TOLERANCE[dtype])
    assert compared == {"embed.weight", "layer.weight", "layer.bias", "head.weight", "head.bias"}


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_a_head_that_shares_its_weight_with_the_embeddings(dtype: torch.dtype) -> None:
    compared = check(Toy(dtype, tied=True), 4, TOLERANCE[dtype])
    assert compared == {"embed.weight", "layer.weight", "layer.bias"}


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_a_frozen_head_passes_gradients_on(dtype: torch.dtype) -> None:
    model = Toy(dtype)
    model.head.requires_grad_(False)
    assert check(model, 4, TOLERANCE[dtype]) == {"embed.weight", "layer.weight", "layer.bias"}


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_a_head_with_an_adapter(dtype: torch.dtype) -> None:
    model: Any = get_peft_model(
        Toy(dtype), LoraConfig(r=3, target_modules=["layer", "head"]), autocast_adapter_dtype=False
    ).base_model.model
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            nn.init.normal_(parameter, std=0.1)
    compared = check(model, 4, TOLERANCE[dtype])
    names = {f"{layer}.lora_{part}.default.weight" for layer in ("layer", "head") for part in "AB"}
    assert compared == names


def test_logits_in_bf16_are_summed_in_float32() -> None:
    model = Toy(torch.bfloat16)
    values, gradients = results(model, in_chunks(4))
    expected, expected_gradients = results(model, plain)
    assert values.dtype == torch.float32
    torch.testing.assert_close(values, expected, rtol=1e-6, atol=1e-6)
    for name, gradient in gradients.items():
        # Gradients are rounded to 8 bits, and those of chunks are added up rounded: 2⁻⁸ each.
        torch.testing.assert_close(gradient, expected_gradients[name], rtol=3e-2, atol=3e-2)
    assert len(gradients) == 5


def test_under_autocast_as_without_chunks() -> None:
    model = Toy(torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        values, gradients = results(model, in_chunks(4))
        expected, expected_gradients = results(model, in_chunks(TOKENS))
    assert values.dtype == torch.float32
    torch.testing.assert_close(values, expected, rtol=0, atol=0)
    for name, gradient in gradients.items():
        assert gradient.dtype == torch.float32
        # Chunks of the head's gradient are rounded to bf16 one by one before they are added.
        torch.testing.assert_close(gradient, expected_gradients[name], rtol=3e-2, atol=3e-2)
    assert len(gradients) == 5


@torch.no_grad()
def test_without_gradients_values_are_the_same() -> None:
    model = Toy(torch.float32)
    ids, targets = torch.arange(TOKENS), torch.arange(TOKENS) + 5
    values = token_logprobs(model(ids), targets, model.head, rows=4)
    torch.testing.assert_close(values, plain(model(ids), targets, model.head), rtol=0, atol=1e-6)


def test_no_tokens_have_no_logprobs() -> None:
    model = Toy(torch.float32)
    none = torch.zeros(0, dtype=torch.long)
    assert token_logprobs(model(none), none, model.head, rows=4).shape == (0,)


def test_what_cannot_be_overwritten_is_refused_and_never_wrong() -> None:
    model = Toy(torch.float32)
    ids = torch.arange(TOKENS)
    loss = token_logprobs(model(ids), ids, model.head, rows=TOKENS).sum()
    loss.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()
    # Exp keeps its result for its own gradient.
    keeping = nn.Sequential(model.head, Exponential())
    loss = token_logprobs(model(ids), ids, keeping, rows=TOKENS).sum()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


class Exponential(nn.Module):
    def forward(self, values: Tensor) -> Tensor:
        return values.exp()


class LargestLogits(TorchDispatchMode):
    """Follows the live tensors of a vocabulary's width, but for the head's weight and its gradient.

    Attributes:
        rows: most rows of float32 that were alive at once.
        rows_half: the same of bf16.
    """

    def __init__(self, vocabulary: int, hidden: int) -> None:
        super().__init__()
        self.rows = self.rows_half = 0
        self._vocabulary, self._hidden = vocabulary, hidden
        self._live: dict[int, tuple[int, torch.dtype]] = {}

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        result = function(*args, **(kwargs or {}))
        for made in result if isinstance(result, tuple | list) else [result]:
            if isinstance(made, Tensor) and made.shape[1:] == (self._vocabulary,):
                self._follow(made)
        return result

    def _follow(self, made: Tensor) -> None:
        storage = made.untyped_storage()
        place = storage.data_ptr()
        if place not in self._live and len(made) != self._hidden:
            self._live[place] = (len(made), made.dtype)
            weakref.finalize(storage, self._live.pop, place)
        self.rows = max(self.rows, self._count(torch.float32))
        self.rows_half = max(self.rows_half, self._count(torch.bfloat16))

    def _count(self, dtype: torch.dtype) -> int:
        return sum(rows for rows, kind in self._live.values() if kind == dtype)


def largest(logprobs: Logprobs, dtype: torch.dtype, *, trained: bool) -> LargestLogits:
    """Logits that live at once in a forward and a backward pass over 512 tokens."""
    vocabulary, hidden, tokens = 152_064, 64, 512
    head = nn.Linear(hidden, vocabulary, bias=False, dtype=dtype).requires_grad_(trained)
    states = torch.randn(tokens, hidden, dtype=dtype, requires_grad=True)
    seen = LargestLogits(vocabulary, hidden)
    with seen:
        logprobs(states, torch.arange(tokens), head).sum().backward()
    assert states.grad is not None and states.grad.abs().max() > 0
    return seen


@pytest.mark.parametrize("trained", [False, True])
def test_one_chunk_of_logits_is_alive_at_a_time(trained: bool) -> None:
    rows = chunk_rows(152_064, budget=64 << 20)
    # 64 MiB / (4 B x 152,064) = 110.3 rows, so that 512 tokens take five chunks.
    assert rows == 110
    seen = largest(in_chunks(rows), torch.float32, trained=trained)
    assert (seen.rows, seen.rows_half) == (rows, 0)
    seen = largest(in_chunks(rows), torch.bfloat16, trained=trained)
    assert seen.rows == rows
    # The head's own output, or the gradient that goes back into it.
    assert seen.rows_half <= rows
    # The same count sees what the plain formula holds: logits, log softmax, their gradients.
    assert largest(plain, torch.float32, trained=trained).rows >= 3 * 512


def test_rows_of_a_chunk_follow_from_bytes() -> None:
    # 268,435,456 / (4 x 152,064) = 441.3
    assert chunk_rows(152_064) == LOGIT_BYTES // (4 * 152_064) == 441
    # All completions of a step of the embedded model, 8 of 1,024 tokens, are one chunk.
    assert chunk_rows(586) > 8 * 1024
    assert chunk_rows(10**9) == 1
