"""What a step leaves behind: one metrics row and one row per group, as pure functions of the step."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from torch import Tensor

from avatar_core.algo.losses import LossTerms
from avatar_core.records import CompletionRow, GroupRow, MetricsRow
from avatar_core.training.rollout import Visit
from avatar_core.training.step import StepOutcome
from avatar_core.training.telemetry import Counters, peak_memory_bytes
from avatar_core.training.update import Replayed, has_signal
from avatar_core.types import Completion, Group

SMALL_ADVANTAGE = 0.1


class StepRecord(NamedTuple):
    """Everything a finished optimiser step has to tell."""

    step: int
    """Optimiser step, from 1."""
    stage: int
    """Training stage."""
    epoch: float
    """Passes over the prompts so far."""
    visits: Sequence[Visit]
    """Prompts visited."""
    fresh: Sequence[Group]
    """Their groups."""
    advantages: Sequence[Tensor]
    """Advantages of each fresh group."""
    replayed: Sequence[Replayed]
    """Replayed groups."""
    tiers: Mapping[str, int] | None
    """Completions stored by tier after the step; `None` without replay."""
    tier_of: Mapping[str, str]
    """Tier of each fresh prompt before its group was stored."""
    diagnostics: Mapping[str, float]
    """Loss and what goes with it, by name: loss, kl, clip_low, clip_high, ess."""
    outcome: StepOutcome
    """Whether the step was taken."""
    lr: float
    """Learning rate."""
    seconds: Mapping[str, float]
    """Wall time by phase."""


def metrics_row(record: StepRecord, counters: Counters) -> MetricsRow:
    """The row of `metrics.jsonl` for a step."""
    rewards = [
        c.reward for group in record.fresh for c in group.completions if c.reward is not None
    ]
    fresh = _values(record.advantages)
    replayed = _values([part.advantages for part in record.replayed])
    numbers = record.diagnostics if record.outcome.taken else {}
    totals = counters.state()
    totals.pop("media_failed")
    return MetricsRow(
        step=record.step,
        epoch=record.epoch,
        stage=record.stage,
        **totals,
        reward_mean=_mean(rewards),
        reward_std=_std(rewards),
        accuracy_fresh=_mean(
            [right for right in map(is_right, _members(record.fresh)) if right is not None]
        ),
        unique_rewards_mean=_mean([len(_distinct(group)) for group in record.fresh]),
        adv_mean=_mean(fresh),
        adv_std=_std(fresh),
        adv_small_share=_mean([abs(a) <= SMALL_ADVANTAGE for a in fresh]),
        replay_adv_mean=_mean(replayed),
        replay_adv_std=_std(replayed),
        replay_adv_small_share=_mean([abs(a) <= SMALL_ADVANTAGE for a in replayed]),
        **{name: numbers.get(name) for name in ("loss", "kl", "clip_low", "clip_high", "ess")},
        replay_age_mean=_mean([record.step - part.group.step for part in record.replayed]),
        replay_reuse_mean=_mean([part.draw.reuse for part in record.replayed]),
        tier_easy=record.tiers["easy"] if record.tiers else None,
        tier_medium=record.tiers["medium"] if record.tiers else None,
        tier_hard=record.tiers["hard"] if record.tiers else None,
        grad_norm=record.outcome.grad_norm,
        lr=record.lr,
        **{
            f"seconds_{phase}": record.seconds.get(phase)
            for phase in ("media", "encode", "generate", "reward", "train")
        },
        peak_memory_bytes=peak_memory_bytes(),
        families=_accuracy_by_family(record),
    )


def diagnostics(terms: LossTerms) -> dict[str, float]:
    """The loss terms that metrics rows report."""
    values = {name: getattr(terms, name) for name in ("loss", "kl", "clip_low", "clip_high", "ess")}
    return {name: float(value) for name, value in values.items() if value is not None}


def group_rows(record: StepRecord) -> list[GroupRow]:
    """The rows of `groups.jsonl` for a step: fresh groups, then replayed ones."""
    families = {visit.sample.id: visit.sample.family for visit in record.visits}
    rows = [
        _group_row(record, group, group.completions, advantages, family=families[group.prompt_id])
        for group, advantages in zip(record.fresh, record.advantages, strict=True)
    ]
    for part in record.replayed:
        members = [part.group.completions[member] for member in part.members]
        rows.append(_group_row(record, part.group, members, part.advantages, replay=part))
    return rows


def _group_row(
    record: StepRecord,
    group: Group,
    members: Sequence[Completion],
    advantages: Tensor,
    *,
    family: str | None = None,
    replay: Replayed | None = None,
) -> GroupRow:
    return GroupRow(
        step=record.step,
        prompt_id=group.prompt_id,
        family=family,
        source="replayed" if replay else "fresh",
        policy_step=group.step,
        tier=replay.draw.tier if replay else record.tier_of.get(group.prompt_id),
        baseline=replay.baseline if replay else None,
        hinted=group.hinted,
        no_signal=not has_signal(group),
        completions=tuple(
            CompletionRow(
                text=c.text,
                tokens=len(c.token_ids),
                reward=c.reward,
                parts=dict(c.parts),
                advantage=float(value),
                truncated=c.truncated,
            )
            for c, value in zip(members, advantages, strict=True)
        ),
    )


def is_right(completion: Completion) -> bool | None:
    """Whether a completion's answer is fully right; `None` when accuracy was not scored."""
    value = completion.parts.get("accuracy")
    return None if value is None else value >= 1.0


def _accuracy_by_family(record: StepRecord) -> dict[str, float | None]:
    found: dict[str, list[bool]] = defaultdict(list)
    for visit, group in zip(record.visits, record.fresh, strict=True):
        found[visit.sample.family or "other"] += [
            right for right in map(is_right, group.completions) if right is not None
        ]
    return {family: _mean(rights) for family, rights in found.items()}


def _members(groups: Iterable[Group]) -> Iterable[Completion]:
    return (completion for group in groups for completion in group.completions)


def _distinct(group: Group) -> set[float]:
    return {c.reward for c in group.completions if c.reward is not None}


def _values(advantages: Sequence[Tensor]) -> list[float]:
    return [float(value) for row in advantages for value in row]


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _std(values: Sequence[float]) -> float | None:
    return float(np.std(values)) if values else None
