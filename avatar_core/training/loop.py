"""The AVATAR training loop, in order: visit, roll out, reward, replay, update, store, record.

What is elsewhere: how prompts are made (`asking`), how a group is drawn from one prefix (`models`),
the formulas (`algo`), the buffer's bookkeeping (`replay`), which prompts a step visits
(`visiting`), what it replays (`rehearsing`), files and checkpoints (`advance`, `run`).
Randomness comes from coordinates (run seed, step, sample, draw), so the loop holds no generator and
a resumed run takes the same steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch

from avatar_core.config.train import TrainConfig
from avatar_core.phases import Stopwatch
from avatar_core.training.baselines import group_sizes
from avatar_core.training.comparing import compare, remember
from avatar_core.training.hinting import observe_hints, show_hints
from avatar_core.training.learning import fresh_share, learn
from avatar_core.training.rehearsing import fresh_size, kept_members, rehearse
from avatar_core.training.rollout import Visit, draw_completions, score_groups
from avatar_core.training.rows import StepRecord, diagnostics
from avatar_core.training.trainee import Trainee
from avatar_core.training.update import reference_gaps
from avatar_core.training.visiting import begin_step, look_ahead, new_record
from avatar_core.types import Group


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
                policy, encoded, visits, sizes=sizes, config=config, step=step, world=world
            )
        with watch.phase("reward"):
            scored = score_groups(visits, completions, config.reward, step, trainee.judge)
            fresh = world.gather(scored)
            shown = world.place(visits)
            kept = kept_members(fresh, config, rehearsal, step)
            advantages, rehearsal = compare(state, config, shown, fresh, rehearsal)

        # Update: one loss over fresh and replayed completions, one step if it is finite.
        with watch.phase("train"):
            share = fresh_share(shown, fresh, advantages, kept)
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
        with watch.phase("train"):
            store(trainee, config, shown, finished)
        yield finished._replace(tiers=state.buffer.tier_sizes() if config.replay.enabled else None)


def store(
    trainee: Trainee, config: TrainConfig, shown: Sequence[Visit | None], finished: StepRecord
) -> None:
    """Remember the groups of a step and count it; what broke a step must not come back.

    Timed as training, since the distance to the reference may be asked for.
    """
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


def gaps_to_reference(
    trainee: Trainee, shown: Sequence[Visit | None], groups: Sequence[Group]
) -> Sequence[list[float] | None]:
    """Distance of fresh completions from the reference, `None` unless the buffer draws by it."""
    if not trainee.state.buffer.rule.needs_kl:
        return [None] * len(groups)
    visits = [visit for visit in shown if visit is not None]
    own = [group for group, visit in zip(groups, shown, strict=True) if visit is not None]
    return trainee.world.gather(reference_gaps(trainee.policy, visits, own) if visits else [])
