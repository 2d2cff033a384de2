"""The AVATAR training loop, in order: visit, roll out, reward, replay, update, store, record.

What is elsewhere: how prompts are made (`asking`), how a group is drawn from one prefix (`models`),
the formulas (`algo`), the buffer's bookkeeping (`replay`), files and checkpoints (`run`).
Randomness comes from coordinates (run seed, step, sample, draw), so the loop holds no generator and
a resumed run takes the same steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from avatar_core.config.train import TrainConfig
from avatar_core.seeds import rng_from
from avatar_core.training.baselines import group_sizes
from avatar_core.training.comparing import compare, remember
from avatar_core.training.hinting import observe_hints, show_hints
from avatar_core.training.rollout import draw_completions, mean_reward, score_group
from avatar_core.training.rows import StepRecord, diagnostics
from avatar_core.training.step import NOT_TAKEN, learning_rate, take_step
from avatar_core.training.telemetry import Stopwatch
from avatar_core.training.trainee import Trainee
from avatar_core.training.update import (
    NOTHING_REPLAYED,
    Part,
    Rehearsal,
    replayed_advantages,
    update_loss,
)
from avatar_core.training.visiting import begin_step, look_ahead
from avatar_core.types import Group


def reinforce(trainee: Trainee, config: TrainConfig, *, done: int) -> Iterator[StepRecord]:
    """Take the optimiser steps `done` + 1 to `config.steps`, yielding a record after each."""
    policy, state = trainee.policy, trainee.state
    for step in range(done + 1, config.steps + 1):
        watch = Stopwatch()
        lr = learning_rate(step, config.steps, config.optim)

        # Visit: the prompts of this step, and stored groups of earlier ones.
        with watch.phase("media"):
            look = show_hints(trainee, config, trainee.look_at(begin_step(trainee, config, step)))
            rehearsal = rehearse(trainee, config, step)
            look_ahead(trainee, config, step + 1)
        epoch = trainee.course.epochs(step, state.counters.visits_skipped)
        if not (visits := look.visits):
            missed = StepRecord(step, config.stage, epoch, look, NOT_TAKEN, lr, watch.seconds)
            yield missed._replace(hints_refused=state.hints.refused)
            continue
        with watch.phase("encode"):
            encoded = policy.encode([visit.prepared for visit in visits])

        # Roll out and reward: only as many completions as are trained on.
        with watch.phase("generate"):
            most = fresh_size(trainee, config)
            sizes = group_sizes(state.memories, visits, config, most=most, step=step)
            completions = draw_completions(
                policy, encoded, visits, sizes=sizes, config=config, step=step
            )
        with watch.phase("reward"):
            fresh = [
                score_group(visit, group, config.reward, step, trainee.judge)
                for visit, group in zip(visits, completions, strict=True)
            ]
            advantages, rehearsal = compare(state, config, visits, fresh, rehearsal)

        # Update: one loss over fresh and replayed completions, one step if it is finite.
        with watch.phase("train"):
            parts = [Part(encoded, visits, [group.completions for group in fresh], advantages)]
            if rehearsal.replayed:
                parts.append(rehearsal.part(policy))
            terms = update_loss(policy, parts, config)
            outcome = take_step(
                state.optimiser, terms.loss, lr=lr, max_norm=config.optim.max_grad_norm
            )

        # Store and record.
        tier_of = {group.prompt_id: state.buffer.tier_of(group.prompt_id) for group in fresh}
        store(trainee, config, fresh, taken=outcome.taken)
        state.counters.count_step(fresh, replayed=rehearsal.size, taken=outcome.taken)
        yield StepRecord(
            step,
            config.stage,
            epoch,
            look,
            outcome,
            lr,
            watch.seconds,
            fresh=fresh,
            advantages=advantages,
            rehearsal=rehearsal,
            tiers=state.buffer.tier_sizes() if config.replay.enabled else None,
            tier_of=tier_of,
            diagnostics=diagnostics(terms),
            hints_refused=state.hints.refused,
        )


def store(trainee: Trainee, config: TrainConfig, fresh: Sequence[Group], *, taken: bool) -> None:
    """Remember the fresh groups of a step; what broke one that was not taken must not come back."""
    for group in fresh if taken else ():
        trainee.state.buffer.insert(group)
    remember(trainee.state, config, fresh if taken else ())
    observe_hints(trainee, config.hints, fresh)


def fresh_size(trainee: Trainee, config: TrainConfig) -> int:
    """Completions to draw per prompt: the whole group until replay can supply its share."""
    replaying = config.replay.enabled and trainee.state.buffer.ready
    return config.rollout.fresh_per_group if replaying else config.rollout.group_size


def rehearse(trainee: Trainee, config: TrainConfig, step: int) -> Rehearsal:
    """Draw the step's replayed completions from the buffer and look at their prompts again.

    Completions of a prompt that cannot be read any more, or whose clip is another one now, are left
    out. Those sampled with a hint are trained on with it. R̄ is of the prompt without its hint, so
    they are measured against the mean of their own group instead.
    """
    buffer = trainee.state.buffer
    if not (config.replay.enabled and buffer.ready):
        return NOTHING_REPLAYED
    share = config.rollout.group_size - config.rollout.fresh_per_group
    drawn = buffer.draw(
        share * config.rollout.prompts_per_step, rng_from(config.seed, "replay", step)
    )
    prompts = dict.fromkeys(draw.group.prompt_id for draw in drawn)
    look = trainee.look_at([trainee.samples[prompt_id] for prompt_id in prompts])
    seen = {(visit.sample.id, visit.media_key): visit for visit in look.visits}
    kept = [draw for draw in drawn if (draw.group.prompt_id, draw.group.media_key) in seen]
    baselines = [
        mean_reward(draw.group) if draw.group.hinted else buffer.baseline(draw.group.prompt_id)
        for draw in kept
    ]
    replayed = replayed_advantages(kept, baselines, config.advantage)
    visits = []
    for part in replayed:
        visit = seen[part.group.prompt_id, part.group.media_key]
        hinted = part.group.hinted
        visits.append(trainee.with_hint(visit, config.hints.place) if hinted else visit)
    return Rehearsal(replayed, visits)
