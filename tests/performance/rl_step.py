"""Log-probabilities and gradient of one group from its shared prefix, against G plain copies.

    python -m tests.performance.rl_step [--repeats 9] [--prefix 330] [--tokens 32] [--group 8]

One prompt, G completions: towers, forward, loss and backward, from the prepared prompt to the
gradients. Two plain sides, both with G copies of the whole prompt, media included: this project's
own functions on G prompts of one completion each, and the family's own forward on a batch. The
gradients of all three are compared first. Then growth: the shared side alone with G and 2G
completions, at this length and at a quarter of the prefix.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from avatar_core.models.policy import Prepared, Prompt
from avatar_core.models.prompting import processor_inputs
from avatar_core.models.qwen_omni import QwenOmniPolicy
from tests.models.prompts import plain_towers, tiny_policy
from tests.performance.measuring import (
    arguments,
    completions_of,
    in_turns,
    prompt_of,
    ratio,
    report,
    spread,
)

GRADIENT_TOLERANCE = 1e-5
"""Of the gradient's norm, in fp32."""


class Group(NamedTuple):
    """A prompt, ready for either side, with its completions and a weight for each token."""

    prepared: Prepared
    inputs: dict[str, Any]
    completions: list[Tensor]
    weights: Tensor


def make_group(policy: QwenOmniPolicy, prompt: Prompt, count: int, tokens: int, seed: int) -> Group:
    inputs: dict[str, Any] = dict(processor_inputs(prompt, policy.processor))
    inputs["video_second_per_grid"] = torch.as_tensor(inputs["video_second_per_grid"])
    generator = torch.Generator().manual_seed(seed)
    return Group(
        policy.prepare(prompt),
        inputs,
        completions_of(policy, count, tokens, seed=seed),
        torch.randn(count, tokens, generator=generator),
    )


def shared(policy: QwenOmniPolicy, group: Group) -> Tensor:
    """The project's own way: one prefix for all completions."""
    encoded = policy.encode([group.prepared])
    return policy.logprobs(encoded, [group.completions]).logprobs


def copied(policy: QwenOmniPolicy, group: Group) -> Tensor:
    """The same functions on a prompt of its own for every completion."""
    encoded = policy.encode([group.prepared] * len(group.completions))
    return policy.logprobs(encoded, [[one] for one in group.completions]).logprobs


def family(policy: QwenOmniPolicy, group: Group) -> Tensor:
    """The family's forward on a batch of copies."""
    return family_logprobs(policy.model, group.inputs, group.completions)


def family_logprobs(model: Any, inputs: dict[str, Any], completions: list[Tensor]) -> Tensor:
    """Log-probabilities by the family's own forward, everything repeated for every completion."""
    count = len(completions)
    batch = copies(inputs, count)
    prefix = batch["input_ids"].shape[1]
    tokens = torch.stack(completions)
    batch["input_ids"] = torch.cat([batch["input_ids"], tokens], dim=1)
    batch["attention_mask"] = torch.ones_like(batch["input_ids"])
    with plain_towers(model):
        logits: Tensor = model(**batch, use_audio_in_video=True, use_cache=False).logits
    predicting = logits[:, prefix - 1 : -1].float().log_softmax(-1)
    return predicting.gather(-1, tokens[..., None]).squeeze(-1)


def copies(inputs: dict[str, Any], count: int) -> dict[str, Any]:
    """A batch of one as a batch of `count`."""
    return {name: value.repeat(count, *[1] * (value.ndim - 1)) for name, value in inputs.items()}


Side = Callable[[QwenOmniPolicy, Group], Tensor]
SIDES: dict[str, Side] = {"shared": shared, "copied": copied, "family": family}


def gradients(policy: QwenOmniPolicy, group: Group, side: Side) -> Tensor:
    """Gradient of the weighted log-probabilities, one vector."""
    policy.model.zero_grad(set_to_none=True)
    (side(policy, group) * group.weights).sum().backward()
    return torch.cat([p.grad.flatten() for p in policy.parameters() if p.grad is not None])


def differences(policy: QwenOmniPolicy, group: Group) -> dict[str, float]:
    """Largest relative difference of gradients, and of log-probabilities, between the sides."""
    wanted = gradients(policy, group, family)
    with torch.no_grad():
        plain = family(policy, group)
        logprobs = max(float((side(policy, group) - plain).abs().max()) for side in SIDES.values())
    found = max(
        float((gradients(policy, group, side) - wanted).norm() / wanted.norm())
        for side in (shared, copied)
    )
    assert found <= GRADIENT_TOLERANCE, found
    assert logprobs <= 1e-5, logprobs
    return {"gradient": found, "logprobs": logprobs}


def growth(
    policy: QwenOmniPolicy, prompt: Prompt, tokens: int, chosen: argparse.Namespace
) -> dict[str, Any]:
    """The shared side with twice as many completions."""
    sides = {}
    for count in (chosen.group, 2 * chosen.group):
        group = make_group(policy, prompt, count, tokens, chosen.seed)
        sides[str(count)] = partial(gradients, policy, group, shared)
    seconds = in_turns(sides, chosen.repeats)
    small, large = sides
    return {"tokens": tokens, "groups": [int(small), int(large)], **ratio(seconds, large, small)}


def main() -> None:
    chosen = arguments(__doc__, repeats=9, prefix=330, tokens=32, group=8)
    if chosen.quick:
        chosen.repeats, chosen.prefix, chosen.tokens, chosen.group = 2, 100, 8, 4
    policy = tiny_policy(chosen.seed)
    prompt = prompt_of(policy, chosen.prefix, seed=chosen.seed)
    group = make_group(policy, prompt, chosen.group, chosen.tokens, chosen.seed)
    prefix = len(group.prepared.input_ids)
    found = differences(policy, group)
    seconds = in_turns(
        {name: partial(gradients, policy, group, side) for name, side in SIDES.items()},
        chosen.repeats,
    )
    document = {
        "claim": "forward and backward of one group, shared prefix against G copies",
        "seed": chosen.seed,
        "prefix": prefix,
        "tokens": chosen.tokens,
        "group": chosen.group,
        "differences": found,
        "seconds": {name: spread(values) for name, values in seconds.items()},
        "ratio_to_same_code": ratio(seconds, "copied", "shared"),
        "ratio_to_family": ratio(seconds, "family", "shared"),
        "growth": [
            growth(policy, prompt, tokens, chosen)
            for tokens in dict.fromkeys((chosen.tokens, prefix // 4))
        ],
    }
    report(document, chosen.out)


if __name__ == "__main__":
    main()
