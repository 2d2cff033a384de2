"""One update: the loss over fresh and replayed completions, in one piece or many, and its step.

The loss is a mean over all completions or tokens of the update. That of a batch of them enters by
its share, so that the losses, and the gradients added up, are those of the whole update, whether
the batches follow each other (`optim.accumulate`) or are those of several processes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from avatar_core.algo.losses import LossTerms
from avatar_core.config.train import TrainConfig
from avatar_core.models.policy import Encoded, Policy
from avatar_core.training.parallel import ALONE, World
from avatar_core.training.rollout import Visit
from avatar_core.training.step import StepOutcome, stretches, take_step
from avatar_core.training.update import Part, Rehearsal, Scored, loss_terms, score_parts
from avatar_core.types import Completion, Group


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


def learn(
    policy: Policy,
    optimiser: torch.optim.Optimizer,
    fresh: Share,
    encoded: Encoded | None,
    rehearsal: Rehearsal,
    config: TrainConfig,
    *,
    lr: float,
    world: World = ALONE,
) -> Updated:
    """Take an optimiser step on the loss over this update of all processes.

    Args:
        policy: in training.
        optimiser: over its parameters.
        fresh: the fresh share of this process.
        encoded: its prompts, encoded with gradients; not used by micro-batches, which encode anew.
        rehearsal: what is replayed; the prompts of other processes are theirs to train on.
        config: of the run.
        lr: learning rate of the step.
        world: the processes that update together.
    """
    seen: list[Scored] = []
    replayed = replayed_share(rehearsal)
    batches = micro_batches(fresh, replayed, config.optim.accumulate)
    weights = [_weight(batch, config) for batch in batches]
    whole = world.total([sum(weights)])[0]
    in_one_piece = config.optim.accumulate == 1

    def losses() -> Iterator[Tensor]:
        for batch, weight in zip(batches, weights, strict=True):
            if in_one_piece and encoded is not None:
                parts = [Part(encoded, *fresh), *_part(replayed, policy)]
            else:
                parts = _part(batch, policy)
            scored = score_parts(policy, parts, config)
            seen.append(scored.detached())
            yield loss_terms(scored, config).loss * (weight / whole)

    outcome = take_step(
        optimiser, losses(), lr=lr, max_norm=config.optim.max_grad_norm, world=world
    )
    return Updated(loss_terms(Scored.joined_parts(world.gather(seen)), config), outcome)


def fresh_share(
    shown: Sequence[Visit | None],
    groups: Sequence[Group],
    advantages: Sequence[Tensor],
    kept: Sequence[Sequence[int]],
) -> Share:
    """What this process trains on of the fresh groups: the kept members of those it has shown."""
    visits = [visit for visit in shown if visit is not None]
    own = [place for place, visit in enumerate(shown) if visit is not None]
    return Share(
        visits,
        [[groups[place].completions[member] for member in kept[place]] for place in own],
        [advantages[place][list(kept[place])] for place in own],
    )


def replayed_share(rehearsal: Rehearsal) -> Share:
    """What this process trains on of the replayed completions."""
    own = [
        (visit, part)
        for visit, part in zip(rehearsal.visits, rehearsal.replayed, strict=True)
        if visit is not None
    ]
    return Share(
        [visit for visit, _ in own],
        [[part.group.completions[member] for member in part.members] for _, part in own],
        [part.advantages for _, part in own],
    )


def _part(share: Share, policy: Policy) -> list[Part]:
    """A share as the only part of a batch, encoded now; none of an empty share."""
    return [share.part(policy)] if share.visits else []


def micro_batches(fresh: Share, replayed: Share, count: int) -> list[Share]:
    """Cut the prompts of an update, fresh ones first, into at most `count` batches of like size."""
    whole = Share(
        [*fresh.visits, *replayed.visits],
        [*fresh.completions, *replayed.completions],
        [*fresh.advantages, *replayed.advantages],
    )
    return [
        Share(whole.visits[part], whole.completions[part], whole.advantages[part])
        for part in stretches(len(whole.visits), count)
    ]


def _weight(batch: Share, config: TrainConfig) -> int:
    """What a batch counts in the mean: its completions or, where each token counts, its tokens."""
    lengths = [len(c.token_ids) for group in batch.completions for c in group]
    by_completion = config.loss.aggregate in ("grpo", "dr_grpo")
    return sum(length > 0 for length in lengths) if by_completion else sum(lengths)
