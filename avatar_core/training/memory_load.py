"""What a run does with a model, from its settings: passes, draws, and what it keeps beside."""

from __future__ import annotations

import math
from typing import NamedTuple

from avatar_core.config.train import TrainConfig
from avatar_core.training.memory import Load
from avatar_core.training.memory_layers import FLOAT, Pass
from avatar_core.training.rehearsing import replayed_size

TEXT_BYTES = 3
"""Of a completion's token in the replay buffer, compressed, beside its id and log-probability."""


class PromptSize(NamedTuple):
    """The largest prompt of some, and what its answer is in supervised training."""

    tokens: int
    patches: int
    frames: int
    """Of mel features, silence that fills up a batch left out."""
    prepared: int
    """Bytes that a prepared prompt holds."""
    preparation: int
    """Bytes by which the process grew while prompts were prepared, beside the prompts."""
    clips: int
    """Bytes of its decoded clips, on average."""
    traces: int
    """Reasoning traces of a sample, at most."""
    trace: int
    """Tokens of a trace, on average."""


def load_of(config: TrainConfig, prompt: PromptSize, count: int, *, reference: bool) -> Load:
    """What a run does: its passes through the model, and what it keeps beside.

    Args:
        config: of the run.
        prompt: size of its prompts.
        count: training samples.
        reference: whether a frozen reference is asked.
    """
    held, rollout = config.held_out, config.rollout
    answered = min(held.batch_size, held.samples)
    length = config.sampling.max_new_tokens
    teaching = config.stage == 0
    shown = config.supervised.batch_size if teaching else rollout.prompts_per_step
    again = 0 if teaching else replayed_prompts(config)
    return Load(
        updates=supervised(config, prompt) if teaching else reinforced(config, prompt),
        rollout=None if teaching else behind(prompt, shown, rollout.group_size, length),
        held_out=behind(prompt, answered, 1, length) if answered else None,
        reference=reference,
        again=config.optim.gradient_checkpointing,
        accumulated=config.optim.accumulate > 1,
        media=min(config.media.cache_bytes, (count + held.samples) * prompt.clips),
        preparation=prompt.preparation,
        prompts=(2 * shown + again) * prompt.prepared,
        replay=0 if teaching else replay_bytes(config),
    )


def replayed_prompts(config: TrainConfig) -> int:
    """Prompts of an update whose completions are replayed, each with as many as may be taken."""
    replay = config.replay
    size = replayed_size(config.rollout) if replay.enabled else 0
    return math.ceil(size / replay.members_per_group)


def behind(prompt: PromptSize, rows: int, branches: int, length: int) -> Pass:
    """A pass of equal prompts with completions behind them."""
    sizes = rows * prompt.patches, rows * prompt.frames
    return Pass(rows, prompt.tokens, branches, length, *sizes)


def supervised(config: TrainConfig, prompt: PromptSize) -> tuple[tuple[Pass, ...], ...]:
    """The passes of a supervised step: its samples with their traces, or the largest part."""
    rows = math.ceil(config.supervised.batch_size / config.optim.accumulate)
    return ((behind(prompt, rows, prompt.traces, prompt.trace),),)


def reinforced(config: TrainConfig, prompt: PromptSize) -> tuple[tuple[Pass, ...], ...]:
    """The passes of an update of reinforcement: before replay supplies its share, and after.

    Fresh prompts carry a whole group before and `fresh_per_group` after. Replayed completions stand
    behind prompts of their own, `replay.members_per_group` each.
    """
    rollout, parts = config.rollout, config.optim.accumulate
    length = config.sampling.max_new_tokens
    prompts, size = rollout.prompts_per_step, rollout.group_size
    before = behind(prompt, math.ceil(prompts / parts), size, length)
    others = replayed_prompts(config)
    if others == 0:
        return ((before,),)
    members = config.replay.members_per_group
    if parts > 1:
        rows = math.ceil((prompts + others) / parts)
        return (before,), (behind(prompt, rows, max(rollout.fresh_per_group, members), length),)
    fresh = behind(prompt, prompts, rollout.fresh_per_group, length)
    return (before,), (fresh, behind(prompt, others, members, length))


def replay_bytes(config: TrainConfig) -> int:
    """Bytes of the replay buffer when it is as full as it gets in the run."""
    rollout = config.rollout
    drawn = config.steps * rollout.prompts_per_step * rollout.group_size
    token = 2 * FLOAT + TEXT_BYTES
    return min(config.replay.capacity, drawn) * config.sampling.max_new_tokens * token
