"""A step of decoding against the family's own forward: plain, with an adapter, in bf16."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

from avatar_core.models.decoding_step import decode_step, rotations
from avatar_core.models.generation import prefill
from avatar_core.models.policy import Encoded, Sampling
from avatar_core.models.prefix_cache import PrefixCache
from avatar_core.models.qwen_omni import QwenOmniPolicy
from avatar_core.models.thinker import parts_of
from tests.models.prompts import PROMPTS, plain_logprobs, tiny_policy

SHOWN = ("video with its sound", "text alone")
SLOTS, STEPS = 2, 5


class Kind(NamedTuple):
    """How the model is held, and how far two orders of its sums may lie apart, of the norm."""

    adapter: bool
    precision: torch.dtype
    apart: float


# Rounding is 2⁻²⁴ and 2⁻⁹ of a number; four layers of sums make several of it.
KINDS = {
    "plain": Kind(False, torch.float32, 1e-6),
    "adapter": Kind(True, torch.float32, 1e-6),
    "bf16": Kind(False, torch.bfloat16, 2e-2),
    "adapter on bf16": Kind(True, torch.bfloat16, 2e-2),
}


def policy_of(kind: Kind) -> QwenOmniPolicy:
    policy = tiny_policy()
    policy.model.to(dtype=kind.precision)  # type: ignore[call-arg]
    if kind.adapter:
        policy.model.name_or_path = "tiny"
        policy.add_adapter(rank=4, alpha=8)
        generator = torch.Generator().manual_seed(0)
        with torch.no_grad():
            for parameter in policy.parameters():
                parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.05)
    return policy


def stepwise(text: Any, encoded: Encoded, tokens: Tensor) -> Tensor:
    """States behind each token, [rows, steps, hidden], one step after the other."""
    prompts = prefill(text, encoded)
    starts = prompts.positions.repeat_interleave(SLOTS)
    table = rotations(text, 0, int(starts.max()) + STEPS, like=prompts.hidden)
    cache = PrefixCache(prompts.layers, torch.tensor(encoded.lengths), SLOTS)
    found = [
        decode_step(text, tokens[:, step], table.at(starts + step), cache) for step in range(STEPS)
    ]
    return torch.stack(found, dim=1)


def at_once(text: Any, encoded: Encoded, tokens: Tensor) -> Tensor:
    """The same states by the family's forward, each prompt copied for its rows."""
    found = []
    for row, ids in enumerate(tokens):
        prompt, length = row // SLOTS, encoded.lengths[row // SLOTS]
        before = encoded.positions[:, prompt : prompt + 1, :length]
        behind = before.amax() + 1 + torch.arange(STEPS)
        states = text(
            inputs_embeds=torch.cat(
                [encoded.embeddings[prompt, :length], text.embed_tokens(ids)], dim=0
            )[None],
            position_ids=torch.cat([before, behind.expand(3, 1, -1)], dim=-1),
            use_cache=False,
        ).last_hidden_state
        found.append(states[0, length:])
    return torch.stack(found)


@pytest.mark.parametrize("name", KINDS)
@torch.no_grad()
def test_states_are_those_of_the_forward(name: str) -> None:
    kind = KINDS[name]
    policy = policy_of(kind)
    text = parts_of(policy.model).text
    encoded = policy.encode([policy.prepare(PROMPTS[shown]) for shown in SHOWN])
    tokens = torch.randint(20, 500, (4, STEPS), generator=torch.Generator().manual_seed(1))
    got, wanted = stepwise(text, encoded, tokens), at_once(text, encoded, tokens)
    assert got.dtype == wanted.dtype == kind.precision
    assert float((got - wanted).float().norm() / wanted.float().norm()) < kind.apart


@torch.no_grad()
def test_an_adapter_decodes_as_it_scores() -> None:
    policy = policy_of(KINDS["adapter"])
    encoded = policy.encode([policy.prepare(PROMPTS[shown]) for shown in SHOWN])
    drawn = policy.generate(encoded, Sampling(12, temperature=0), [[0], [0]])
    for shown, (one,) in zip(SHOWN, drawn, strict=True):
        wanted = plain_logprobs(policy, shown, one.token_ids)
        torch.testing.assert_close(one.logprobs, wanted, rtol=0, atol=1e-5)
    with policy.reference() as reference:
        without = reference.generate(encoded, Sampling(12, temperature=0), [[0], [0]])
    assert any(
        not torch.equal(a.logprobs, b.logprobs) for (a,), (b,) in zip(drawn, without, strict=True)
    )


def test_what_was_drawn_can_be_trained_on() -> None:
    policy = policy_of(KINDS["adapter"])
    encoded = policy.encode([policy.prepare(PROMPTS[SHOWN[0]])])
    (group,) = policy.generate(encoded, Sampling(4), [[1, 2]])
    scored = policy.logprobs(encoded, [[one.token_ids for one in group]])
    drawn = torch.stack([one.logprobs for one in group])
    torch.testing.assert_close(scored.logprobs.detach(), drawn, rtol=0, atol=1e-5)
    (scored.logprobs - drawn).square().sum().add(scored.logprobs.sum()).backward()
    gradients = [p.grad for p in policy.parameters() if p.grad is not None]
    assert sum(bool((gradient != 0).any()) for gradient in gradients) > 20
