"""Stage 0: supervised training on reasoning traces, so that reinforcement has what to reinforce."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from torch import Tensor

from avatar_core.config.train import TrainConfig
from avatar_core.models.policy import Policy, TokenLogprobs
from avatar_core.phases import Stopwatch
from avatar_core.training.parallel import ALONE, World
from avatar_core.training.rollout import Visit
from avatar_core.training.rows import StepRecord
from avatar_core.training.step import stretches, take_step
from avatar_core.training.trainee import Trainee
from avatar_core.training.visiting import new_record


def supervise(trainee: Trainee, config: TrainConfig, *, done: int) -> Iterator[StepRecord]:
    """Take the supervised steps `done` + 1 to `config.steps`, yielding a record after each.

    The loss is the mean negative log-likelihood of the trace tokens of a batch:

        L(θ) = − Σᵢ Σₜ log π_θ(oᵢₜ | qᵢ, oᵢ,<ₜ) / Σᵢ |oᵢ|
    """
    world = trainee.world
    for step in range(done + 1, config.steps + 1):
        watch = Stopwatch()
        with watch.phase("media"):
            look = trainee.look_at(trainee.samples_of(step))
            if step < config.steps:
                trainee.look_ahead(trainee.samples_of(step + 1))
        record = new_record(trainee, config, step, look, watch)
        if not world.any(bool(look.visits)):
            yield record
            continue
        losses: list[float] = []
        with watch.phase("train"):
            outcome = take_step(
                trainee.state.optimiser,
                losses_of(trainee.policy, look.visits, config.optim.accumulate, losses, world),
                lr=record.lr,
                max_norm=config.optim.max_grad_norm,
                world=world,
            )
        trainee.state.counters.count_step((), (), replayed=0, taken=outcome.taken)
        total = math.fsum(world.gather(losses))
        yield record._replace(outcome=outcome, diagnostics={"loss": total})


def losses_of(
    policy: Policy,
    visits: Sequence[Visit],
    count: int,
    noted: list[float],
    world: World = ALONE,
) -> Iterator[Tensor]:
    """The loss of a batch in at most `count` parts that add up to it, each a scalar.

    Args:
        policy: in training.
        visits: this process's part of the batch; each sample has traces.
        count: parts to cut it into.
        noted: is given the value of each part.
        world: the processes that share the batch.
    """
    traces = [[policy.encode_text(text) for text in v.sample.responses] for v in visits]
    total = sum(world.gather([len(trace) for every in traces for trace in every]))
    for part in stretches(len(visits), count):
        encoded = policy.encode([visit.prepared for visit in visits[part]])
        loss = negative_log_likelihood(policy.logprobs(encoded, traces[part]), total)
        noted.append(float(loss.detach()))
        yield loss


def negative_log_likelihood(tokens: TokenLogprobs, total: int) -> Tensor:
    """Negative log-probability summed over the true places of the mask, over `total`, a scalar."""
    return -tokens.logprobs.sum() / max(1, total)
