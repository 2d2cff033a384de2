"""The AVATAR training loop, in order: visit, roll out, reward, replay, update, store, record.

What is elsewhere: how prompts are made (`asking`), how a group is drawn from one prefix (`models`), the
formulas (`algo`), the buffer's bookkeeping (`replay`), files and checkpoints (`run`). Randomness comes from
coordinates (run seed, step, sample, draw), so the loop holds no generator and a resumed run takes the same
steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from avatar_core.config.train import TrainConfig
from avatar_core.errors import NonFiniteError
from avatar_core.seeds import rng_from
from avatar_core.training.curriculum import epoch_of_step, prompts_of_step
from avatar_core.training.rollout import Visit, draw_completions, score_group
from avatar_core.training.rows import StepRecord, diagnostics
from avatar_core.training.step import learning_rate, take_step
from avatar_core.training.telemetry import Stopwatch
from avatar_core.training.trainee import Trainee, look_at
from avatar_core.training.update import (
    Part,
    Rehearsal,
    count_step,
    fresh_advantages,
    replayed_advantages,
    update_loss,
)
from avatar_core.types import Sample


def reinforce(trainee: Trainee, config: TrainConfig, *, done: int) -> Iterator[StepRecord]:
    """Take the optimiser steps `done` + 1 to `config.steps`, yielding a record after each.

    Raises:
        MediaError: no clip of a step could be read.
        NonFiniteError: too many consecutive steps had a loss or gradient that is not finite.
    """
    policy, state = trainee.policy, trainee.state
    parameters = policy.parameters()
    bad_steps = 0
    for step in range(done + 1, config.steps + 1):
        watch = Stopwatch()

        # Visit: the prompts of this step, and stored groups of earlier ones.
        with watch.phase("media"):
            visits = look_at(trainee, prompts_at(trainee, config, step))
            rehearsal = rehearse(trainee, config, step)
            trainee.asker.prefetch(prompts_at(trainee, config, step + 1))
        with watch.phase("encode"):
            encoded = policy.encode([visit.prepared for visit in visits])

        # Roll out and reward: only as many completions as are trained on.
        with watch.phase("generate"):
            completions = draw_completions(
                policy, encoded, visits, size=fresh_size(trainee, config), config=config, step=step
            )
        with watch.phase("reward"):
            fresh = [
                score_group(visit, group, config.reward, step)
                for visit, group in zip(visits, completions, strict=True)
            ]
            advantages = fresh_advantages(fresh, config.advantage)

        # Update: one loss over fresh and replayed completions, one step if it is finite.
        with watch.phase("train"):
            parts = [Part(encoded, visits, [group.completions for group in fresh], advantages)]
            if rehearsal.replayed:
                parts.append(rehearsal.part(policy))
            terms = update_loss(policy, parts, config.loss, config.advantage)
            lr = learning_rate(step, config.steps, config.optim)
            outcome = take_step(
                state.optimiser,
                parameters,
                terms.loss,
                lr=lr,
                max_norm=config.optim.max_grad_norm,
            )

        # Store and record.
        tiers = {group.prompt_id: state.buffer.tier_of(group.prompt_id) for group in fresh}
        for group in fresh:
            state.buffer.insert(group)
        count_step(state.counters, fresh, rehearsal.replayed, outcome)
        yield StepRecord(
            step=step,
            stage=config.stage,
            epoch=epoch_at(trainee, config, step),
            visits=visits,
            fresh=fresh,
            advantages=advantages,
            replayed=rehearsal.replayed,
            tiers=state.buffer.tier_sizes() if config.replay.enabled else None,
            tier_of=tiers,
            diagnostics=diagnostics(terms),
            outcome=outcome,
            lr=lr,
            seconds=watch.seconds,
        )
        bad_steps = 0 if outcome.taken else bad_steps + 1
        if bad_steps >= config.optim.max_skipped:
            raise not_finite(step, bad_steps, visits)


def not_finite(step: int, bad_steps: int, visits: Sequence[Visit]) -> NonFiniteError:
    """The error that ends a run whose numbers do not recover."""
    names = ", ".join(visit.sample.id for visit in visits)
    return NonFiniteError(
        f"step {step}: loss or gradient was not finite in {bad_steps} consecutive steps "
        f"(last samples {names}); lower optim.lr or look at the samples"
    )


def epoch_at(trainee: Trainee, config: TrainConfig, step: int) -> float:
    """Passes over the training prompts after a step."""
    return epoch_of_step(
        step,
        per_step=config.rollout.prompts_per_step,
        pool=len(trainee.samples),
        visits=config.rollout.visits,
    )


def prompts_at(trainee: Trainee, config: TrainConfig, step: int) -> list[Sample]:
    """The samples that a step visits."""
    samples = list(trainee.samples.values())
    rollout = config.rollout
    places = prompts_of_step(
        step,
        per_step=rollout.prompts_per_step,
        pool=len(samples),
        window=rollout.window,
        visits=rollout.visits,
        seed=config.seed,
    )
    return [samples[place] for place in places]


def fresh_size(trainee: Trainee, config: TrainConfig) -> int:
    """Completions to draw per prompt: the whole group until replay can supply its share."""
    replaying = config.replay.enabled and trainee.state.buffer.ready
    return config.rollout.fresh_per_group if replaying else config.rollout.group_size


def rehearse(trainee: Trainee, config: TrainConfig, step: int) -> Rehearsal:
    """Draw the step's replayed completions from the buffer and look at their prompts again."""
    buffer = trainee.state.buffer
    if not (config.replay.enabled and buffer.ready):
        return Rehearsal([], [])
    share = config.rollout.group_size - config.rollout.fresh_per_group
    drawn = buffer.draw(
        share * config.rollout.prompts_per_step, rng_from(config.seed, "replay", step)
    )
    baselines = [buffer.baseline(draw.group.prompt_id) for draw in drawn]
    replayed = replayed_advantages(drawn, baselines, config.advantage)
    visits = look_at(trainee, [trainee.samples[part.group.prompt_id] for part in replayed])
    seen = {visit.sample.id: visit for visit in visits}
    kept = [part for part in replayed if part.group.prompt_id in seen]
    return Rehearsal(kept, [seen[part.group.prompt_id] for part in kept])
