"""An update in several micro-batches of prompts: the same loss and gradient in less memory.

The loss of an update is a mean over all its completions or tokens. That of a micro-batch enters by
its share of them, so that the losses, and the gradients added up, are those of the whole update.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from avatar_core.algo.losses import LossTerms
from avatar_core.config.train import TrainConfig
from avatar_core.models.policy import Policy
from avatar_core.training.rollout import Visit
from avatar_core.training.step import StepOutcome, take_step
from avatar_core.training.update import Part, Rehearsal, Scored, loss_terms, score_parts
from avatar_core.types import Completion


class Share(NamedTuple):
    """Prompts whose completions enter an update, before they are encoded with gradients."""

    visits: Sequence[Visit]
    """The prompts."""
    completions: Sequence[Sequence[Completion]]
    """Completions of each prompt."""
    advantages: Sequence[Tensor]
    """Advantage of each completion, float32 [members], by prompt."""

    def part(self, policy: Policy) -> Part:
        """Encode the prompts under the current policy."""
        encoded = policy.encode([visit.prepared for visit in self.visits])
        return Part(encoded, self.visits, self.completions, self.advantages)


class Updated(NamedTuple):
    """What became of an update."""

    terms: LossTerms
    """Loss and diagnostics over the whole update; carries no gradient any more."""
    outcome: StepOutcome
    """Whether the step was taken."""


def accumulated_step(
    policy: Policy,
    optimiser: torch.optim.Optimizer,
    fresh: Share,
    rehearsal: Rehearsal,
    config: TrainConfig,
    *,
    lr: float,
) -> Updated:
    """Take an optimiser step on the loss of `update_loss`, `optim.accumulate` micro-batches long.

    Args:
        policy: in training.
        optimiser: over its parameters.
        fresh: the fresh share of the update.
        rehearsal: the replayed share; it may be empty.
        config: of the run.
        lr: learning rate of the step.
    """
    seen: list[Scored] = []
    batches = micro_batches(fresh, rehearsal, config.optim.accumulate)
    whole = sum(_weight(batch, config) for batch in batches)

    def losses() -> Iterator[Tensor]:
        for batch in batches:
            scored = score_parts(policy, [batch.part(policy)], config)
            seen.append(scored.detached())
            yield loss_terms(scored, config).loss * (_weight(batch, config) / whole)

    outcome = take_step(optimiser, losses(), lr=lr, max_norm=config.optim.max_grad_norm)
    return Updated(loss_terms(Scored.joined(seen), config), outcome)


def micro_batches(fresh: Share, rehearsal: Rehearsal, count: int) -> list[Share]:
    """Cut the prompts of an update, fresh ones first, into at most `count` batches of like size."""
    visits = [*fresh.visits, *rehearsal.visits]
    completions = [*fresh.completions, *rehearsal.completions]
    advantages = [*fresh.advantages, *(part.advantages for part in rehearsal.replayed)]
    cuts = [round(len(visits) * place / count) for place in range(count + 1)]
    return [
        Share(visits[low:high], completions[low:high], advantages[low:high])
        for low, high in zip(cuts, cuts[1:], strict=False)
        if high > low
    ]


def _weight(batch: Share, config: TrainConfig) -> int:
    """What a batch counts in the mean: its completions or, where each token counts, its tokens."""
    lengths = [len(c.token_ids) for group in batch.completions for c in group]
    by_completion = config.loss.aggregate in ("grpo", "dr_grpo")
    return sum(length > 0 for length in lengths) if by_completion else sum(lengths)
