"""The AVATAR training loop, in order: visit, roll out, reward, replay, update, store, record.

What is elsewhere: how prompts are made (`asking`), how a group is drawn from one prefix (`models`),
the formulas (`algo`), the buffer's bookkeeping (`replay`), files and checkpoints (`run`).
Randomness comes from coordinates (run seed, step, sample, draw), so the loop holds no generator and
a resumed run takes the same steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from avatar_core.config.train import TrainConfig
from avatar_core.phases import Stopwatch
from avatar_core.seeds import rng_from
from avatar_core.training.baselines import group_sizes
from avatar_core.training.comparing import compare, remember
from avatar_core.training.hinting import observe_hints, show_hints
from avatar_core.training.learning import Share, learn
from avatar_core.training.rollout import Visit, draw_completions, mean_reward, score_groups
from avatar_core.training.rows import StepRecord, diagnostics
from avatar_core.training.step import NOT_TAKEN, learning_rate
from avatar_core.training.trainee import Look, Trainee
from avatar_core.training.update import (
    NOTHING_REPLAYED,
    Rehearsal,
    reference_gaps,
    replayed_advantages,
    trained_members,
)
from avatar_core.training.visiting import begin_step, look_ahead
from avatar_core.types import Group, Sample


def reinforce(trainee: Trainee, config: TrainConfig, *, done: int) -> Iterator[StepRecord]:
    """Take the optimiser steps `done` + 1 to `config.steps`, yielding a record after each."""
    policy, state, world = trainee.policy, trainee.state, trainee.world
    for step in range(done + 1, config.steps + 1):
        watch = Stopwatch()

        # Visit: the prompts of this step, and stored groups of earlier ones.
        with watch.phase("media"):
            samples = begin_step(trainee, config, step)
            look = show_hints(trainee, config, trainee.look_at(samples))
            rehearsal = rehearse(trainee, config, step, samples)
            look_ahead(trainee, config, step + 1)
        visits, record = look.visits, new_record(trainee, config, step, look, watch)
        if not world.any(bool(visits)):
            yield record
            continue
        with watch.phase("encode"), torch.set_grad_enabled(config.optim.accumulate == 1):
            encoded = policy.encode([visit.prepared for visit in visits]) if visits else None

        # Roll out and reward: only as many completions as are trained on.
        with watch.phase("generate"):
            most = fresh_size(config, rehearsal)
            sizes = group_sizes(state.memories, visits, config, most=most, step=step)
            completions = draw_completions(
                policy, encoded, visits, sizes=sizes, config=config, step=step
            )
        with watch.phase("reward"):
            scored = score_groups(visits, completions, config.reward, step, trainee.judge)
            fresh = world.gather(scored)
            shown = world.place(visits)
            kept = kept_members(fresh, config, rehearsal, step)
            advantages, rehearsal = compare(state, config, shown, fresh, rehearsal)

        # Update: one loss over fresh and replayed completions, one step if it is finite.
        with watch.phase("train"):
            share = own_share(shown, fresh, advantages, kept)
            updated = learn(
                policy,
                state.optimiser,
                share,
                encoded,
                rehearsal,
                config,
                lr=record.lr,
                world=world,
            )

        # Store and record.
        finished = record._replace(
            outcome=updated.outcome,
            fresh=fresh,
            advantages=advantages,
            kept=kept,
            rehearsal=rehearsal,
            tier_of={group.prompt_id: state.buffer.tier_of(group.prompt_id) for group in fresh},
            diagnostics=diagnostics(updated.terms),
        )
        store(trainee, config, shown, finished)
        yield finished._replace(tiers=state.buffer.tier_sizes() if config.replay.enabled else None)


def new_record(
    trainee: Trainee, config: TrainConfig, step: int, look: Look, watch: Stopwatch
) -> StepRecord:
    """What is known of a step once its prompts have been looked at."""
    state = trainee.state
    return StepRecord(
        step,
        config.stage,
        trainee.course.epochs(step, state.counters.visits_skipped),
        look,
        NOT_TAKEN,
        learning_rate(step, config.steps, config.optim),
        watch.seconds,
        samples=trainee.samples,
        hints_refused=state.hints.refused,
    )


def store(
    trainee: Trainee, config: TrainConfig, shown: Sequence[Visit | None], finished: StepRecord
) -> None:
    """Remember the groups of a step and count it; what broke a step must not come back."""
    state, fresh, rehearsal = trainee.state, finished.fresh, finished.rehearsal
    if finished.outcome.taken:
        state.buffer.mark_used([part.draw for part in rehearsal.replayed])
        gaps = gaps_to_reference(trainee, shown, fresh)
        for group, values, gap in zip(fresh, finished.advantages, gaps, strict=True):
            state.buffer.insert(group, advantages=values.tolist(), kl=gap)
        remember(state, config, fresh)
    observe_hints(trainee, config.hints, fresh)
    taken = finished.outcome.taken
    state.counters.count_step(fresh, finished.kept, replayed=rehearsal.size, taken=taken)


def own_share(
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


def kept_members(
    groups: Sequence[Group], config: TrainConfig, rehearsal: Rehearsal, step: int
) -> list[list[int]]:
    """Members of fresh groups that are trained on: all, unless some give way to replayed ones."""
    discard = config.rollout.discard and supplied(config, rehearsal)
    most = config.rollout.fresh_per_group if discard else config.rollout.group_size
    return trained_members(groups, most, config.seed, step)


def gaps_to_reference(
    trainee: Trainee, shown: Sequence[Visit | None], groups: Sequence[Group]
) -> Sequence[list[float] | None]:
    """Distance of fresh completions from the reference, `None` unless the buffer draws by it."""
    if not trainee.state.buffer.rule.needs_kl:
        return [None] * len(groups)
    visits = [visit for visit in shown if visit is not None]
    own = [group for group, visit in zip(groups, shown, strict=True) if visit is not None]
    return trainee.world.gather(reference_gaps(trainee.policy, visits, own) if visits else [])


def fresh_size(config: TrainConfig, rehearsal: Rehearsal) -> int:
    """Completions to draw per prompt: the whole group unless replay supplies its share.

    With `rollout.discard` it stays the whole group, as in the release.
    """
    saves = supplied(config, rehearsal) and not config.rollout.discard
    return config.rollout.fresh_per_group if saves else config.rollout.group_size


def supplied(config: TrainConfig, rehearsal: Rehearsal) -> bool:
    """Whether as many completions are replayed as the fresh ones leave room for."""
    rollout = config.rollout
    share = rollout.group_size - rollout.fresh_per_group
    return config.replay.enabled and rehearsal.size >= share * rollout.prompts_per_step


def rehearse(
    trainee: Trainee, config: TrainConfig, step: int, samples: Sequence[Sample]
) -> Rehearsal:
    """Draw the step's replayed completions from the buffer and look at their prompts again.

    Completions of a prompt that cannot be read any more, or whose clip is another one now, are left
    out. Those sampled with a hint are trained on with it. R̄ is of the prompt without its hint, so
    they are measured against the mean of their own group instead.

    Args:
        trainee: holds the buffer.
        config: of the run.
        step: optimiser step.
        samples: prompts that the step visits, in all processes.
    """
    buffer, world = trainee.state.buffer, trainee.world
    if not (config.replay.enabled and buffer.ready):
        return NOTHING_REPLAYED
    share = config.rollout.group_size - config.rollout.fresh_per_group
    drawn = buffer.draw(
        share * config.rollout.prompts_per_step,
        rng_from(config.seed, "replay", step),
        step=step,
        prompts=[sample.id for sample in samples],
    )
    # Every process looks at the prompts of its stretch of the drawn groups.
    own = set(world.share(list(dict.fromkeys(draw.number for draw in drawn))))
    prompts = dict.fromkeys(draw.group.prompt_id for draw in drawn if draw.number in own)
    look = trainee.look_at_own([trainee.samples[prompt_id] for prompt_id in prompts])
    seen = {(visit.sample.id, visit.media_key): visit for visit in look.visits}
    readable = set(
        world.gather(
            [
                draw.number
                for draw in drawn
                if draw.number in own and (draw.group.prompt_id, draw.group.media_key) in seen
            ]
        )
    )
    kept = [draw for draw in drawn if draw.number in readable]
    baselines = [
        mean_reward(draw.group) if draw.group.hinted else buffer.baseline(draw.group.prompt_id)
        for draw in kept
    ]
    replayed = replayed_advantages(kept, baselines, config.advantage)
    visits: list[Visit | None] = []
    for part in replayed:
        visit = seen.get((part.group.prompt_id, part.group.media_key))
        mine = visit is not None and part.draw.number in own
        if mine and visit is not None and part.group.hinted:
            visit = trainee.with_hint(visit, config.hints.place)
        visits.append(visit if mine else None)
    return Rehearsal(replayed, visits)
