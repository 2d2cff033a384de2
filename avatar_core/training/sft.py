"""Stage 0: supervised training on reasoning traces, so that reinforcement has something to reinforce."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from avatar_core.config.train import TrainConfig
from avatar_core.models.policy import TokenLogprobs
from avatar_core.training.curriculum import epoch_of_step, prompts_of_step
from avatar_core.training.rows import StepRecord
from avatar_core.training.step import learning_rate, take_step
from avatar_core.training.telemetry import Stopwatch
from avatar_core.training.trainee import Trainee, look_at


def supervise(trainee: Trainee, config: TrainConfig, *, done: int) -> Iterator[StepRecord]:
    """Take the supervised steps `done` + 1 to `config.steps`, yielding a record after each.

    The loss is the mean negative log-likelihood of the trace tokens of a batch:

        L(θ) = − Σᵢ Σₜ log π_θ(oᵢₜ | qᵢ, oᵢ,<ₜ) / Σᵢ |oᵢ|
    """
    policy, state = trainee.policy, trainee.state
    parameters = policy.parameters()
    samples = list(trainee.samples.values())
    size, pool = config.supervised.batch_size, len(samples)
    for step in range(done + 1, config.steps + 1):
        watch = Stopwatch()
        places = prompts_of_step(
            step, per_step=size, pool=pool, window=pool, visits=1, seed=config.seed
        )
        with watch.phase("media"):
            visits = look_at(trainee, [samples[place] for place in places])
        with watch.phase("encode"):
            encoded = policy.encode([visit.prepared for visit in visits])
        with watch.phase("train"):
            traces = [[policy.encode_text(visit.sample.response or "")] for visit in visits]
            loss = negative_log_likelihood(policy.logprobs(encoded, traces))
            lr = learning_rate(step, config.steps, config.optim)
            outcome = take_step(
                state.optimiser,
                parameters,
                loss,
                lr=lr,
                max_norm=config.optim.max_grad_norm,
            )
        state.counters.skipped_steps += not outcome.taken
        yield StepRecord(
            step=step,
            stage=0,
            epoch=epoch_of_step(step, per_step=size, pool=pool, visits=1),
            visits=[],
            fresh=[],
            advantages=[],
            replayed=[],
            tiers=None,
            tier_of={},
            diagnostics={"loss": float(loss.detach())},
            outcome=outcome,
            lr=lr,
            seconds=watch.seconds,
        )


def negative_log_likelihood(tokens: TokenLogprobs) -> Tensor:
    """Mean negative log-probability over the true places of the mask, a scalar."""
    return -tokens.logprobs.sum() / tokens.mask.sum().clamp(min=1)
