"""The replayed share of a step: what is drawn, shown again, and how much room it leaves.

Half of an update, as configured by default, is completions of earlier steps. Once the buffer can
supply them, that many fewer are drawn afresh or trained on.
"""

from __future__ import annotations

from collections.abc import Sequence

from avatar_core.config.train import RolloutConfig, TrainConfig
from avatar_core.replay import Drawn, ReplayBuffer
from avatar_core.seeds import rng_from
from avatar_core.training.rollout import Visit, mean_reward
from avatar_core.training.trainee import Trainee
from avatar_core.training.update import (
    NOTHING_REPLAYED,
    Rehearsal,
    replayed_advantages,
    trained_members,
)
from avatar_core.types import Group, Sample


def rehearse(
    trainee: Trainee, config: TrainConfig, step: int, samples: Sequence[Sample]
) -> Rehearsal:
    """Draw the step's replayed completions from the buffer and look at their prompts again.

    Completions of a prompt that cannot be read any more, or whose clip is another one now, are left
    out.

    Args:
        trainee: holds the buffer.
        config: of the run.
        step: optimiser step.
        samples: prompts that the step visits, in all processes.
    """
    buffer = trainee.state.buffer
    if not (config.replay.enabled and buffer.ready):
        return NOTHING_REPLAYED
    drawn = buffer.draw(
        replayed_size(config.rollout),
        rng_from(config.seed, "replay", step),
        step=step,
        prompts=[sample.id for sample in samples],
    )
    shown = shown_again(trainee, config, drawn)
    readable = set(trainee.world.gather(list(shown)))
    kept = [draw for draw in drawn if draw.number in readable]
    baselines = [baseline_of(draw.group, buffer) for draw in kept]
    replayed = replayed_advantages(kept, baselines, config.advantage)
    return Rehearsal(replayed, [shown.get(part.draw.number) for part in replayed])


def shown_again(trainee: Trainee, config: TrainConfig, drawn: Sequence[Drawn]) -> dict[int, Visit]:
    """The prompts of this process's stretch of the drawn groups, as they were shown, by number.

    Completions that were sampled with a hint are trained on with it.
    """
    groups = {draw.number: draw.group for draw in drawn}
    own = {number: groups[number] for number in trainee.world.share(list(groups))}
    names = dict.fromkeys(group.prompt_id for group in own.values())
    look = trainee.look_at_own([trainee.samples[name] for name in names])
    seen = {(visit.sample.id, visit.media_key): visit for visit in look.visits}
    plain = {number: seen.get((group.prompt_id, group.media_key)) for number, group in own.items()}
    return {
        number: trainee.with_hint(visit, config.hints.place) if own[number].hinted else visit
        for number, visit in plain.items()
        if visit is not None
    }


def baseline_of(group: Group, buffer: ReplayBuffer) -> float:
    """What the completions of a stored group are measured against.

    R̄ of the prompt, which is of the prompt without its hint; for a group that was sampled with the
    hint its own mean instead.
    """
    return mean_reward(group) if group.hinted else buffer.baseline(group.prompt_id)


def replayed_size(rollout: RolloutConfig) -> int:
    """Completions that an update replays, as far as the buffer can supply them."""
    return (rollout.group_size - rollout.fresh_per_group) * rollout.prompts_per_step


def is_supplied(config: TrainConfig, rehearsal: Rehearsal) -> bool:
    """Whether as many completions are replayed as the fresh ones leave room for."""
    return config.replay.enabled and rehearsal.size >= replayed_size(config.rollout)


def fresh_size(config: TrainConfig, rehearsal: Rehearsal) -> int:
    """Completions to draw per prompt: the whole group unless replay supplies its share.

    With `rollout.discard` it stays the whole group, as in the release.
    """
    saves = is_supplied(config, rehearsal) and not config.rollout.discard
    return config.rollout.fresh_per_group if saves else config.rollout.group_size


def kept_members(
    groups: Sequence[Group], config: TrainConfig, rehearsal: Rehearsal, step: int
) -> list[list[int]]:
    """Members of fresh groups that are trained on: all, unless some give way to replayed ones."""
    discard = config.rollout.discard and is_supplied(config, rehearsal)
    most = config.rollout.fresh_per_group if discard else config.rollout.group_size
    return trained_members(groups, most, config.seed, step)
