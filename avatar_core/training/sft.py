"""Stage 0: supervised training on reasoning traces, so that reinforcement has what to reinforce."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from avatar_core.config.train import TrainConfig
from avatar_core.models.policy import TokenLogprobs
from avatar_core.training.rows import StepRecord
from avatar_core.training.step import NOT_TAKEN, learning_rate, take_step
from avatar_core.training.telemetry import Stopwatch
from avatar_core.training.trainee import Trainee


def supervise(trainee: Trainee, config: TrainConfig, *, done: int) -> Iterator[StepRecord]:
    """Take the supervised steps `done` + 1 to `config.steps`, yielding a record after each.

    The loss is the mean negative log-likelihood of the trace tokens of a batch:

        L(θ) = − Σᵢ Σₜ log π_θ(oᵢₜ | qᵢ, oᵢ,<ₜ) / Σᵢ |oᵢ|
    """
    policy, state = trainee.policy, trainee.state
    for step in range(done + 1, config.steps + 1):
        watch = Stopwatch()
        lr = learning_rate(step, config.steps, config.optim)
        epoch = trainee.course.epochs(step)
        with watch.phase("media"):
            look = trainee.look_at(trainee.samples_of(step))
            trainee.look_ahead(step + 1, config.steps)
        if not look.visits:
            yield StepRecord(step, config.stage, epoch, look, NOT_TAKEN, lr, watch.seconds)
            continue
        with watch.phase("encode"):
            encoded = policy.encode([visit.prepared for visit in look.visits])
        with watch.phase("train"):
            traces = [
                [policy.encode_text(trace) for trace in visit.sample.responses]
                for visit in look.visits
            ]
            loss = negative_log_likelihood(policy.logprobs(encoded, traces))
            outcome = take_step(state.optimiser, loss, lr=lr, max_norm=config.optim.max_grad_norm)
        state.counters.count_step((), replayed=0, taken=outcome.taken)
        yield StepRecord(
            step,
            config.stage,
            epoch,
            look,
            outcome,
            lr,
            watch.seconds,
            diagnostics={"loss": float(loss.detach())},
        )


def negative_log_likelihood(tokens: TokenLogprobs) -> Tensor:
    """Mean negative log-probability over the true places of the mask, a scalar."""
    return -tokens.logprobs.sum() / tokens.mask.sum().clamp(min=1)
