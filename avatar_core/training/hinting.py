"""Which visits of a step show their hint, and the divergence that the rule `stuck` measures.

All of it happens when the step begins, before the next step's prompts are looked at in advance.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from avatar_core.algo.losses import kl_k3, off_policy_weights
from avatar_core.config.hints import HintConfig
from avatar_core.config.train import TrainConfig
from avatar_core.data.leak import leaks
from avatar_core.models.policy import Policy
from avatar_core.replay import ReplayBuffer
from avatar_core.replay.tiers import rank_of
from avatar_core.training.hints import is_due, may_be_stuck
from avatar_core.training.rollout import Visit
from avatar_core.training.trainee import Look, Trainee
from avatar_core.types import Group


class Recalled(NamedTuple):
    """A visit of now with the prompt's last visit."""

    visit: Visit
    """The prompt as the policy reads it now."""
    group: Group
    """The newest stored group that was sampled from the same prompt, without a hint."""


def show_hints(trainee: Trainee, config: TrainConfig, look: Look) -> Look:
    """What a step that begins now looks at, the prompts that need it with their hint."""
    due = due_hints(trainee, config.hints, look.visits) if config.hints.enabled else ()
    place = config.hints.place
    return look._replace(
        visits=[trainee.with_hint(v, place) if v.sample.id in due else v for v in look.visits]
    )


def observe_hints(trainee: Trainee, config: HintConfig, groups: Iterable[Group]) -> None:
    """Remember how the visits of a step went whose prompts have a hint."""
    for group in groups if config.enabled else ():
        if trainee.samples[group.prompt_id].hint is not None:
            trainee.state.hints.observe(group)


def due_hints(trainee: Trainee, config: HintConfig, visits: Sequence[Visit]) -> set[str]:
    """Ids of the prompts that show their hint in a step that begins now.

    The divergence is measured last and only for prompts that meet every other condition of `stuck`,
    so it costs one forward pass without gradients over a few prompts, and most often none.
    """
    state = trainee.state
    able = {visit.sample.id: visit for visit in visits if visit.sample.hint is not None}
    due = {name for name in able if is_due(state.hints.history(name), config)}
    doubtful = _but_for_divergence([name for name in able if name not in due], trainee, config)
    pairs = recall([able[name] for name in doubtful], state.buffer)
    names = trainee.world.gather([pair.visit.sample.id for pair in pairs])
    found = trainee.world.gather(divergences(trainee.policy, pairs, config))
    low = state.hints.are_low(found, config)
    due |= {name for name, is_low in zip(names, low, strict=True) if is_low and name in able}
    if config.leak == "refuse":
        leaking = {name for name in due if _leaks(able[name])}
        state.hints.refused += len(trainee.world.gather(sorted(leaking)))
        due -= leaking
    return due


def recall(visits: Sequence[Visit], buffer: ReplayBuffer) -> list[Recalled]:
    """Pair visits with the newest stored group of their prompt; those without one are left out.

    A group counts when the same clips were shown and no hint.
    """
    pairs = []
    for visit in visits:
        unhinted = (
            stored.group
            for stored in reversed(list(buffer.groups(visit.sample.id)))
            if stored.group.media_key == visit.media_key and not stored.group.hinted
        )
        if (newest := next(unhinted, None)) is not None:
            pairs.append(Recalled(visit, newest))
    return pairs


@torch.no_grad()
def divergences(policy: Policy, pairs: Sequence[Recalled], config: HintConfig) -> list[float]:
    """How far the policy has moved on each prompt, from the completions of its last visit.

        mean over tokens of  min(1, π_θ/π_β) k₃(π_θ, π)

    k₃ estimates KL(π_θ ‖ π), with π the policy π_β that sampled the completions (the paper) or the
    reference (the release). The tokens are of π_β, hence the weights, as in the loss. A low value
    means that the policy would sample again what it has sampled.

    Args:
        policy: π_θ.
        pairs: visits whose prompts show no hint, with groups of completions.
        config: says which policy π is.
    """
    if not pairs:
        return []
    members = [completion for pair in pairs for completion in pair.group.completions]
    current = _logprobs(policy, pairs)
    behaviour = torch.from_numpy(np.concatenate([c.logprobs for c in members])).to(current)
    other = behaviour
    if config.kl_to == "reference":
        with policy.reference() as reference:
            other = _logprobs(reference, pairs)
    weights = off_policy_weights(current, behaviour, torch.ones_like(current, dtype=torch.bool))
    values = kl_k3(current, other) * weights
    lengths = [sum(len(c.logprobs) for c in pair.group.completions) for pair in pairs]
    return [float(part.mean()) for part in torch.split(values, lengths)]


def _logprobs(policy: Policy, pairs: Sequence[Recalled]) -> Tensor:
    """Log-probabilities of all completions of some groups one after the other, [tokens]."""
    encoded = policy.encode([pair.visit.prepared for pair in pairs])
    ids = [
        [torch.from_numpy(c.token_ids.astype(np.int64)) for c in pair.group.completions]
        for pair in pairs
    ]
    found = policy.logprobs(encoded, ids)
    return found.logprobs[found.mask]


def _but_for_divergence(names: Sequence[str], trainee: Trainee, config: HintConfig) -> list[str]:
    """Those prompts that meet every condition of `stuck` but the one on their divergence."""
    buffer, memory = trainee.state.buffer, trainee.state.hints
    known = [name for name in names if config.rule != "zero_streak" and memory.history(name).visits]
    places = reward_places(known, trainee.samples, buffer)
    return [
        name
        for name, place in zip(known, places, strict=True)
        if may_be_stuck(memory.history(name), buffer.tier_of(name), place, config)
    ]


def reward_places(
    names: Sequence[str], every: Iterable[str], buffer: ReplayBuffer
) -> list[float | None]:
    """Where prompts stand among all prompts seen by R̄, in (0, 1), ties broken as for the tiers.

    The prompt at place p of N, from 0 and lowest first, stands at (p + ½) / N.

    Args:
        names: prompts asked about; one without R̄ stands nowhere.
        every: all prompts of the run; those without R̄ are passed over.
        buffer: holds R̄.
    """
    if not names:
        return []
    ranks = {
        name: rank_of(name, buffer.baseline(name)) for name in every if buffer.baseline_count(name)
    }
    ordered = sorted(ranks.values())
    return [
        (bisect_left(ordered, ranks[name]) + 0.5) / len(ordered) if name in ranks else None
        for name in names
    ]


def _leaks(visit: Visit) -> bool:
    """Whether the hint of a sample holds its reference answer."""
    return visit.sample.hint is not None and leaks(visit.sample.hint, visit.sample)
