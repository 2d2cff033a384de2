"""Shared prefixes against the family's plain forward: values, gradients, what runs how often."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from avatar_core.errors import CheckpointError
from avatar_core.models.loading import load_policy
from avatar_core.models.policy import Sampling
from avatar_core.models.qwen_omni import QwenOmniPolicy
from tests.models.prompts import (
    PROMPTS,
    all_logprobs,
    plain_logprobs,
    ragged_completions,
    tiny_policy,
)


def with_adapter(directory: Path) -> QwenOmniPolicy:
    """A tiny policy with an adapter that changes what it computes."""
    tiny_policy().save(directory)
    policy = load_policy(str(directory), device="cpu")
    policy.add_adapter(rank=8, alpha=32)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for parameter in policy.parameters():
            torch.nn.init.normal_(parameter, std=0.05)
    return policy


@pytest.fixture(params=["full", "lora"])
def policy(request: pytest.FixtureRequest, tmp_path: Path) -> QwenOmniPolicy:
    return tiny_policy() if request.param == "full" else with_adapter(tmp_path / "base")


@torch.no_grad()
def test_logprobs_are_those_of_the_plain_forward(policy: QwenOmniPolicy) -> None:
    completions = ragged_completions(policy)
    scored = iter(all_logprobs(policy, completions))
    cases = 0
    for name, branches in completions.items():
        for branch in branches:
            plain = plain_logprobs(policy, name, branch)
            torch.testing.assert_close(next(scored), plain, rtol=0, atol=1e-5)
            cases += 1
    # Ten prompts with three, one or two completions in turn.
    assert cases == 21


def test_gradient_is_that_of_the_plain_forward(policy: QwenOmniPolicy) -> None:
    completions = ragged_completions(policy)
    generator = torch.Generator().manual_seed(1)
    weights = [
        torch.randn(len(branch), generator=generator)
        for branches in completions.values()
        for branch in branches
    ]
    names = [name for name, p in policy.model.named_parameters() if p.requires_grad]
    parameters = policy.parameters()
    shared = all_logprobs(policy, completions)
    got = gradient(shared, weights, parameters)
    plain = [
        plain_logprobs(policy, name, branch)
        for name, branches in completions.items()
        for branch in branches
    ]
    wanted = gradient(plain, weights, parameters)
    difference = torch.cat([(a - b).flatten() for a, b in zip(got, wanted, strict=True)])
    norm = torch.cat([b.flatten() for b in wanted]).norm()
    assert difference.norm() / norm <= 1e-5
    for part in ("visual", "audio_tower", "layers.3.mlp"):
        pieces = [g.norm() for name, g in zip(names, wanted, strict=True) if part in name]
        assert torch.stack(pieces).norm() / norm > 1e-4, part


def gradient(
    values: list[Tensor], weights: list[Tensor], parameters: list[torch.nn.Parameter]
) -> list[Tensor]:
    """Gradient of Σ w · log p, zero where a parameter takes no part."""
    total = torch.stack([v @ w for v, w in zip(values, weights, strict=True)]).sum()
    found = torch.autograd.grad(total, parameters, allow_unused=True, materialize_grads=True)
    return list(found)


@torch.no_grad()
def test_logprobs_do_not_depend_on_the_other_completions(policy: QwenOmniPolicy) -> None:
    completions = ragged_completions(policy)
    together = all_logprobs(policy, completions)
    alone = [
        all_logprobs(policy, {name: [branch]})[0]
        for name, branches in completions.items()
        for branch in branches
    ]
    assert len(together) == 21
    for one, other in zip(together, alone, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-5)


@torch.no_grad()
def test_behaviour_logprobs_match_the_recomputed_ones(policy: QwenOmniPolicy) -> None:
    encoded = policy.encode([policy.prepare(prompt) for prompt in PROMPTS.values()])
    seeds = [[10 * index + draw for draw in range(3)] for index in range(len(PROMPTS))]
    groups = policy.generate(encoded, Sampling(16, temperature=0.7, top_k=20), seeds)
    scored = policy.logprobs(encoded, [[one.token_ids for one in group] for group in groups])
    drawn = [one for group in groups for one in group]
    assert len(drawn) == 30
    assert sum(len(one.token_ids) for one in drawn) > 200
    for one, values, mask in zip(drawn, scored.logprobs, scored.mask, strict=True):
        torch.testing.assert_close(values[mask], one.logprobs, rtol=0, atol=1e-4)


@torch.no_grad()
def test_towers_run_once_for_each_encoding_and_never_again() -> None:
    policy = tiny_policy()
    calls: list[str] = []
    for name, module in policy.model.named_modules():
        if name.rpartition(".")[2] in {"visual", "audio_tower"}:
            part = name.rpartition(".")[2]
            module.register_forward_hook(lambda *_, part=part: calls.append(part))
    encoded = policy.encode([policy.prepare(prompt) for prompt in PROMPTS.values()])
    assert sorted(calls) == ["audio_tower", "visual"]
    seeds = [[0, 1]] * len(PROMPTS)
    groups = policy.generate(encoded, Sampling(4), seeds)
    policy.logprobs(encoded, [[one.token_ids for one in group] for group in groups])
    assert len(calls) == 2


def test_text_goes_there_and_back() -> None:
    policy = tiny_policy()
    text = "<think>I see a red square.</think><answer>red</answer>"
    ids = policy.encode_text(text)
    assert ids[-1] == policy.processor.tokenizer.eos_token_id
    assert policy.decode(ids) == text


@torch.no_grad()
def test_saved_weights_come_back(tmp_path: Path) -> None:
    policy, other = tiny_policy(seed=0), tiny_policy(seed=1)
    completions = {"text alone": [torch.arange(20, 40)]}
    wanted = all_logprobs(policy, completions)[0]
    assert (all_logprobs(other, completions)[0] - wanted).abs().max() > 0.1
    policy.save(tmp_path)
    other.restore(tmp_path)
    assert torch.equal(all_logprobs(other, completions)[0], wanted)
    saved, read = policy.model.state_dict(), other.model.state_dict()
    assert saved.keys() == read.keys()
    assert all(torch.equal(saved[name], read[name]) for name in saved)


def test_restore_refuses_a_directory_without_weights(tmp_path: Path) -> None:
    policy = tiny_policy()
    policy.save(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"no \*\.safetensors"):
        policy.restore(tmp_path)


def test_reference_stays_what_the_policy_was(tmp_path: Path) -> None:
    policy = tiny_policy()
    completions = {"video with its sound": [torch.arange(20, 40)]}
    with torch.no_grad():
        before = all_logprobs(policy, completions)[0]
        with policy.reference() as reference:
            assert torch.equal(all_logprobs(reference, completions)[0], before)
        for parameter in policy.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
        changed = all_logprobs(policy, completions)[0]
        assert (changed - before).abs().max() > 0.1
    with policy.reference() as reference:
        values = all_logprobs(reference, completions)[0]
    assert torch.equal(values, before)
    assert not values.requires_grad
    policy.save(tmp_path)
    policy.restore(tmp_path)
    with policy.reference() as reference:
        assert torch.equal(all_logprobs(reference, completions)[0], before)
