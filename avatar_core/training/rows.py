"""What a step leaves behind: one metrics row, and one row per group; pure functions of the step."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from torch import Tensor

from avatar_core.algo.losses import LossTerms
from avatar_core.data.leak import leaks
from avatar_core.phases import own_seconds
from avatar_core.records import CompletionRow, GroupRow, MetricsRow, Tier
from avatar_core.training.rollout import has_signal, scored_rewards
from avatar_core.training.step import StepOutcome
from avatar_core.training.telemetry import Counters, peak_memory_bytes
from avatar_core.training.trainee import Look
from avatar_core.training.update import NOTHING_REPLAYED, Rehearsal, Replayed
from avatar_core.types import ACCURACY, Completion, Group, Sample
from avatar_core.wording import question_text

SMALL_ADVANTAGE = 0.1
DIAGNOSTICS = ("loss", "kl", "clip_low", "clip_high", "ess")
PHASES = ("media", "encode", "generate", "reward", "train")
PARTS = {
    "prefill": "generate/decode/prefill",
    "train_encode": "train/encode",
    "logprobs": "train/logprobs",
    "reference": "train/reference",
    "backward": "train/backward",
    "optimiser": "train/optimiser",
}
"""Paths of the parts of phases, by the names they have in a row."""


class StepRecord(NamedTuple):
    """Everything a finished optimiser step has to tell."""

    step: int
    """Optimiser step, from 1."""
    stage: int
    """Training stage."""
    epoch: float
    """Passes over the prompts so far."""
    look: Look
    """Prompts visited, and why the others of the step could not be."""
    outcome: StepOutcome
    """Whether the step was taken."""
    lr: float
    """Learning rate."""
    seconds: Mapping[str, float]
    """Wall time by phase and part, under the paths of a `Stopwatch`."""
    fresh: Sequence[Group] = ()
    """Groups of the prompts visited."""
    advantages: Sequence[Tensor] = ()
    """Advantages of each fresh group."""
    kept: Sequence[Sequence[int]] = ()
    """Members of each fresh group that were trained on."""
    samples: Mapping[str, Sample] = MappingProxyType({})
    """Samples of the run by id."""
    rehearsal: Rehearsal = NOTHING_REPLAYED
    """Replayed groups and their prompts."""
    tiers: Mapping[Tier, int] | None = None
    """Completions stored by tier after the step; `None` without replay."""
    tier_of: Mapping[str, Tier] = MappingProxyType({})
    """Tier of each fresh prompt before its group was stored."""
    diagnostics: Mapping[str, float] = MappingProxyType({})
    """Loss and what goes with it, by the names of `DIAGNOSTICS`."""
    hints_refused: int = 0
    """Visits of the run so far whose hint was due but holds the reference answer."""


def metrics_row(record: StepRecord, counters: Counters) -> MetricsRow:
    """The row of `metrics.jsonl` for a step."""
    rewards = [reward for group in record.fresh for reward in scored_rewards(group)]
    again = record.rehearsal.replayed
    # Of a step that was not taken, these may be what was not finite.
    taken = record.outcome.taken
    trained = [a[list(ms)] for a, ms in zip(record.advantages, record.kept, strict=True)]
    fresh = _values(trained) if taken else []
    replayed = _values([part.advantages for part in again]) if taken else []
    numbers = record.diagnostics if taken else {}
    return MetricsRow(
        step=record.step,
        epoch=record.epoch,
        stage=record.stage,
        **counters.state(),
        reward_mean=_mean(rewards),
        reward_std=_std(rewards),
        accuracy_fresh=_mean(_rights(record.fresh)),
        unique_rewards_mean=_mean([len(set(scored_rewards(group))) for group in record.fresh]),
        adv_mean=_mean(fresh),
        adv_std=_std(fresh),
        adv_small_share=_mean([abs(a) <= SMALL_ADVANTAGE for a in fresh]),
        replay_adv_mean=_mean(replayed),
        replay_adv_std=_std(replayed),
        replay_adv_small_share=_mean([abs(a) <= SMALL_ADVANTAGE for a in replayed]),
        **{name: numbers.get(name) for name in DIAGNOSTICS},
        replay_age_mean=_mean([record.step - part.group.step for part in again]),
        replay_reuse_mean=_mean([part.draw.reuse for part in again]),
        tier_easy=record.tiers["easy"] if record.tiers else None,
        tier_medium=record.tiers["medium"] if record.tiers else None,
        tier_hard=record.tiers["hard"] if record.tiers else None,
        grad_norm=record.outcome.grad_norm,
        lr=record.lr,
        **phase_seconds(record.seconds),
        tokens_prompt=prompt_tokens(record),
        tokens_trained=trained_tokens(record),
        peak_memory_bytes=peak_memory_bytes(),
        hints_refused=record.hints_refused,
        families={name: _mean(_rights(groups)) for name, groups in _by_family(record).items()},
    )


def phase_seconds(seconds: Mapping[str, float]) -> dict[str, float | None]:
    """The times of a row by their field, `None` for a phase that did not occur.

    Args:
        seconds: by path, as a `Stopwatch` holds them.
    """
    paths = {name: name for name in PHASES} | PARTS
    found = {name: seconds.get(path) for name, path in paths.items()}
    # Decoding begins with the prefill, which is told apart.
    found["decode"] = own_seconds(seconds, "generate/decode")
    return {f"seconds_{name}": value for name, value in found.items()}


def prompt_tokens(record: StepRecord) -> int:
    """Tokens of the prompts that a step visited or replayed, each once for all its completions."""
    visits = [*record.look.visits, *(v for v in record.rehearsal.visits if v is not None)]
    return sum(len(visit.prepared.input_ids) for visit in visits)


def trained_tokens(record: StepRecord) -> int | None:
    """Completion tokens that entered the update; `None` when none did."""
    fresh = [
        group.completions[member]
        for group, members in zip(record.fresh, record.kept, strict=True)
        for member in members
    ]
    again = [part.group.completions[m] for part in record.rehearsal.replayed for m in part.members]
    if not (record.outcome.taken and (fresh or again)):
        return None
    return sum(len(completion.token_ids) for completion in (*fresh, *again))


def diagnostics(terms: LossTerms) -> dict[str, float]:
    """The loss terms that metrics rows report."""
    values = {name: getattr(terms, name) for name in DIAGNOSTICS}
    return {name: float(value.detach()) for name, value in values.items() if value is not None}


def group_rows(record: StepRecord) -> list[GroupRow]:
    """The rows of `groups.jsonl` for a step: fresh groups, then replayed ones."""
    rows = [
        _group_row(record, group, group.completions, _trained_only(advantages, kept))
        for group, advantages, kept in zip(
            record.fresh, record.advantages, record.kept, strict=True
        )
    ]
    for part in record.rehearsal.replayed:
        members = [part.group.completions[member] for member in part.members]
        rows.append(_group_row(record, part.group, members, part.advantages.tolist(), part))
    return rows


def _trained_only(advantages: Tensor, kept: Sequence[int]) -> list[float | None]:
    """Advantages of a fresh group; `None` for members that were not trained on."""
    return [value if place in kept else None for place, value in enumerate(advantages.tolist())]


def _group_row(
    record: StepRecord,
    group: Group,
    members: Sequence[Completion],
    advantages: Sequence[float | None],
    replay: Replayed | None = None,
) -> GroupRow:
    sample = record.samples[group.prompt_id]
    return GroupRow(
        step=record.step,
        prompt_id=group.prompt_id,
        family=sample.family,
        source="replayed" if replay else "fresh",
        policy_step=group.step,
        tier=replay.draw.tier if replay else record.tier_of.get(group.prompt_id),
        baseline=replay.baseline if replay else None,
        hinted=group.hinted,
        leaked=group.hinted and sample.hint is not None and leaks(sample.hint, sample),
        no_signal=not has_signal(group),
        question=question_text(sample),
        solution=sample.solution,
        options=sample.options,
        completions=tuple(
            CompletionRow(
                text=c.text,
                tokens=len(c.token_ids),
                reward=c.reward,
                parts=dict(c.parts),
                advantage=value if record.outcome.taken else None,
                truncated=c.truncated,
            )
            for c, value in zip(members, advantages, strict=True)
        ),
    )


def _by_family(record: StepRecord) -> dict[str, list[Group]]:
    found: dict[str, list[Group]] = defaultdict(list)
    for group in record.fresh:
        found[record.samples[group.prompt_id].family or "other"].append(group)
    return found


def _rights(groups: Iterable[Group]) -> list[bool]:
    """Whether each completion's answer is fully right, of those whose accuracy was scored."""
    values = [c.parts.get(ACCURACY) for group in groups for c in group.completions]
    return [value >= 1.0 for value in values if value is not None]


def _values(advantages: Iterable[Tensor]) -> list[float]:
    return [float(value) for row in advantages for value in row]


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _std(values: Sequence[float]) -> float | None:
    return float(np.std(values)) if values else None
