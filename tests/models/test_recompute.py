"""Activations that are computed again give the same numbers and take less memory meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from avatar_core.models.loading import load_policy
from avatar_core.models.policy import Sampling
from avatar_core.models.qwen_omni import QwenOmniPolicy
from avatar_core.models.recompute import layers_of, recomputed
from tests.models.prompts import (
    PROMPTS,
    all_logprobs,
    ragged_completions,
    tiny_policy,
)


def with_adapter(directory: Path) -> QwenOmniPolicy:
    tiny_policy().save(directory)
    policy = load_policy(str(directory), device="cpu")
    policy.add_adapter(rank=4, alpha=8)
    return policy


def kept_and_gradients(policy: QwenOmniPolicy) -> tuple[int, Tensor, list[Tensor]]:
    """Bytes kept for the backward pass, the loss, and its gradients."""
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        scored = all_logprobs(policy, ragged_completions(policy))
    loss = torch.stack([values.mean() for values in scored]).sum()
    loss.backward()
    gradients = [torch.zeros(1) if p.grad is None else p.grad.clone() for p in policy.parameters()]
    for parameter in policy.parameters():
        parameter.grad = None
    return sum(kept.values()), loss.detach(), gradients


@pytest.mark.parametrize("tuning", ["full", "lora"])
def test_gradients_are_the_same_and_less_is_kept(tuning: str, tmp_path: Path) -> None:
    policy = tiny_policy() if tuning == "full" else with_adapter(tmp_path / "base")
    plain, loss, gradients = kept_and_gradients(policy)
    policy.recompute_activations()
    kept, loss_again, gradients_again = kept_and_gradients(policy)
    assert kept < plain / 2
    torch.testing.assert_close(loss_again, loss, rtol=0, atol=1e-6)
    compared = 0
    for one, other in zip(gradients, gradients_again, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-6)
        compared += bool((one != 0).any())
    assert compared > 30


def test_layers_of_towers_and_text_are_switched_for_one_pass() -> None:
    policy = tiny_policy()
    layers = layers_of(policy.model)
    # 4 of text, 2 of vision, 2 of sound.
    assert len(layers) == 8
    with recomputed(layers):
        assert all(layer.training and layer.gradient_checkpointing for layer in layers)
        # What is inside a layer stays in evaluation mode: no dropout.
        assert not any(m.training for layer in layers for m in layer.children())
    with torch.no_grad(), recomputed(layers):
        assert not any(layer.training for layer in layers)
    assert not any(layer.training or layer.gradient_checkpointing for layer in layers)


@torch.no_grad()
def test_generation_keeps_its_cache() -> None:
    policy = tiny_policy()
    prepared = [policy.prepare(PROMPTS["video with its sound"])]
    texts = []
    for _ in range(2):
        made = policy.generate(policy.encode(prepared), Sampling(5), [[1, 2]])
        texts.append([one.token_ids.tolist() for one in made[0]])
        policy.recompute_activations()
    assert texts[0] == texts[1]
