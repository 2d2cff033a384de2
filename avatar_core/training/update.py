"""From scored groups, fresh and replayed, to the loss of one optimiser step.

    J(θ) = mean over completions of  min(ρ wA, clip(ρ) wA) − β k₃

Fresh completions carry group-relative advantages, replayed ones VCRS advantages against the
prompt's running mean reward (both scaled as configured), each token weighted by Temporal Advantage
Shaping.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from avatar_core.algo.advantages import group_advantages, vcrs_advantages
from avatar_core.algo.losses import LossTerms, kl_k3, off_policy_weights, policy_loss
from avatar_core.algo.tas import tas_weights
from avatar_core.config.train import AdvantageConfig, TrainConfig
from avatar_core.models.policy import Encoded, Policy, TokenLogprobs
from avatar_core.phases import phase
from avatar_core.replay.buffer import Drawn
from avatar_core.seeds import rng_from
from avatar_core.training.rollout import Visit
from avatar_core.types import Completion, Group


class Part(NamedTuple):
    """Prompts whose completions enter the update together: all fresh, or all replayed ones."""

    encoded: Encoded
    """The prompts under the current policy, with gradients."""
    visits: Sequence[Visit]
    """The same prompts before encoding, for the reference policy."""
    completions: Sequence[Sequence[Completion]]
    """Completions of each prompt."""
    advantages: Sequence[Tensor]
    """Advantage of each completion, float32 [members], by prompt."""


class Replayed(NamedTuple):
    """Drawn completions of one stored group."""

    group: Group
    """The stored group."""
    members: list[int]
    """Indices of the drawn completions."""
    draw: Drawn
    """The first draw of the group, for its tier, age and reuse."""
    advantages: Tensor
    """Advantages of the drawn completions, by VCRS but for injected ones, float32 [members]."""
    baseline: float | None
    """R̄(q) at the time of the draw; `None` when they are relative to a fresh group."""


class Rehearsal(NamedTuple):
    """The replayed share of an update; empty while the buffer fills."""

    replayed: Sequence[Replayed]
    """Stored groups with their drawn completions."""
    visits: Sequence[Visit | None]
    """Their prompts, looked at again; `None` where another process trains on the group."""

    @property
    def size(self) -> int:
        """Number of completions."""
        return sum(len(part.members) for part in self.replayed)


NOTHING_REPLAYED = Rehearsal((), ())


def fresh_advantages(groups: Sequence[Group], config: AdvantageConfig) -> list[Tensor]:
    """Group-relative advantages of fresh groups of one size; unscored completions get 0."""
    rewards = torch.tensor([[c.reward or 0.0 for c in group.completions] for group in groups])
    scored = torch.tensor([[c.reward is not None for c in group.completions] for group in groups])
    return list(group_advantages(rewards, scored, eps=config.eps, scale=config.scale))


def trained_members(groups: Sequence[Group], size: int, seed: int, step: int) -> list[list[int]]:
    """Which completions of fresh groups enter the update when the others give way to replay.

    Args:
        groups: fresh groups of one step.
        size: completions to keep of each; as many as it has keeps all.
        seed: of the run.
        step: optimiser step; the choice follows from these, the prompt and its place in the step.
    """
    return [
        sorted(
            rng_from(seed, "discard", step, group.prompt_id, place).sample(
                range(len(group.completions)), min(size, len(group.completions))
            )
        )
        for place, group in enumerate(groups)
    ]


@phase("reference")
@torch.no_grad()
def reference_gaps(
    policy: Policy, visits: Sequence[Visit], groups: Sequence[Group]
) -> list[list[float]]:
    """Mean over the tokens of each fresh completion of log π_rollout − log π_ref, by group.

    The priority "release" of the replay buffer scores stored completions by it. One forward pass of
    the reference over all completions.

    Args:
        policy: whose reference is asked.
        visits: the prompts as they were shown.
        groups: their completions.
    """
    tokens = [[_ids(completion) for completion in group.completions] for group in groups]
    with policy.reference() as reference:
        encoded = reference.encode([visit.prepared for visit in visits])
        found = reference.logprobs(encoded, tokens)
    members = [completion for group in groups for completion in group.completions]
    sums = _pad_like(found.mask, [c.logprobs for c in members]) - found.logprobs
    means = iter((sums.sum(dim=1) / found.mask.sum(dim=1).clamp(min=1)).tolist())
    return [[next(means) for _ in group.completions] for group in groups]


def replayed_advantages(
    drawn: Sequence[Drawn], baselines: Sequence[float], config: AdvantageConfig
) -> list[Replayed]:
    """VCRS advantages of the drawn completions, gathered by stored group in order of the draw.

    Args:
        drawn: draws of this update; each has a reward, and a weight that undoes the preference of
            its draw.
        baselines: R̄ of each draw's prompt now.
        config: scales of the advantages.
    """
    rewards = torch.tensor([float(d.group.completions[d.member].reward or 0.0) for d in drawn])
    advantages = vcrs_advantages(
        rewards, torch.tensor(baselines), alpha=config.alpha, scale=config.vcrs_scale
    ) * torch.tensor([draw.weight for draw in drawn])
    places: dict[int, list[int]] = {}
    for place, draw in enumerate(drawn):
        places.setdefault(draw.number, []).append(place)
    return [
        Replayed(
            group=drawn[first].group,
            members=[drawn[place].member for place in (first, *rest)],
            draw=drawn[first],
            advantages=advantages[[first, *rest]],
            baseline=baselines[first],
        )
        for first, *rest in places.values()
    ]


class Scored(NamedTuple):
    """Completions of an update under the current policy: B rows, padded on the right."""

    logprobs: Tensor
    """log π_θ, float32 [B, T], with gradients."""
    mask: Tensor
    """bool [B, T]: true on completion tokens."""
    behaviour: Tensor
    """log π_β of the policy that drew them, float32 [B, T]."""
    kl: Tensor | None
    """KL term of each token, float32 [B, T], with gradients; `None` without one."""
    advantages: Tensor
    """float32 [B]."""

    def detached(self) -> Scored:
        """The same numbers on the CPU, without the graph behind them."""
        return Scored(
            self.logprobs.detach().cpu(),
            self.mask.cpu(),
            self.behaviour.cpu(),
            None if self.kl is None else self.kl.detach().cpu(),
            self.advantages.cpu(),
        )

    @classmethod
    def joined_parts(cls, parts: Sequence[Scored]) -> Scored:
        """The rows of several parts."""
        kls = [part.kl for part in parts if part.kl is not None]
        return cls(
            logprobs=_stack([part.logprobs for part in parts]),
            mask=_stack([part.mask for part in parts]),
            behaviour=_stack([part.behaviour for part in parts]),
            kl=_stack(kls) if kls else None,
            advantages=torch.cat([part.advantages for part in parts]),
        )


def score_parts(policy: Policy, parts: Sequence[Part], config: TrainConfig) -> Scored:
    """Log-probabilities and KL of all completions of some parts under the current policy."""
    loss = config.loss
    tokens = [[[_ids(c) for c in group] for group in part.completions] for part in parts]
    current = _join(
        [policy.logprobs(part.encoded, ids) for part, ids in zip(parts, tokens, strict=True)]
    )
    mask = current.mask
    behaviour = _pad_like(
        mask, [c.logprobs for part in parts for group in part.completions for c in group]
    )
    kl = None
    if loss.beta > 0:
        kl = kl_k3(current.logprobs, _reference_logprobs(policy, parts, tokens), mask)
        if loss.kl_weights == "importance":
            kl = kl * off_policy_weights(current.logprobs, behaviour, mask)
    advantages = torch.cat([values for part in parts for values in part.advantages])
    return Scored(current.logprobs, mask, behaviour, kl, advantages.to(mask.device))


def loss_terms(scored: Scored, config: TrainConfig) -> LossTerms:
    """The loss over scored completions, with Temporal Advantage Shaping."""
    loss, shaping = config.loss, config.advantage
    return policy_loss(
        scored.logprobs,
        scored.behaviour,
        scored.advantages,
        scored.mask,
        clip_low=loss.clip_low,
        clip_high=loss.clip_high,
        level=loss.level,
        weights=tas_weights(
            scored.mask,
            shaping.tas_lambda,
            shape=shaping.tas_shape,
            normalize=shaping.tas_normalize,
        ),
        kl=scored.kl,
        beta=loss.beta,
        aggregate=loss.aggregate,
        max_length=config.sampling.max_new_tokens,
        ratio_cap=loss.ratio_cap,
    )


@phase("reference")
def _reference_logprobs(
    policy: Policy, parts: Sequence[Part], tokens: Sequence[Sequence[Sequence[Tensor]]]
) -> Tensor:
    """Log-probabilities of the same completions under the frozen reference, which encodes anew."""
    with policy.reference() as reference:
        rows = [
            reference.logprobs(reference.encode([v.prepared for v in part.visits]), ids)
            for part, ids in zip(parts, tokens, strict=True)
        ]
    return _join(rows).logprobs


def _ids(completion: Completion) -> Tensor:
    return torch.from_numpy(completion.token_ids.astype(np.int64))


def _join(parts: Sequence[TokenLogprobs]) -> TokenLogprobs:
    """Stack the rows of several parts."""
    return TokenLogprobs(
        _stack([part.logprobs for part in parts]), _stack([part.mask for part in parts])
    )


def _stack(rows: Sequence[Tensor]) -> Tensor:
    """Stack matrices on each other, padded on the right to the widest."""
    width = max(part.shape[1] for part in rows)
    return torch.cat([torch.nn.functional.pad(part, (0, width - part.shape[1])) for part in rows])


def _pad_like(mask: Tensor, rows: Sequence[np.ndarray]) -> Tensor:
    """Rows of numbers laid at the true places of a right-padded mask, 0 elsewhere."""
    padded = torch.zeros(mask.shape, device=mask.device)
    for index, row in enumerate(rows):
        padded[index, : len(row)] = torch.from_numpy(row).to(mask.device)
    return padded
