"""From records to figures: pure functions of the rows, so that one run always gives one report.

"Fresh" are completions sampled in the step that trained on them, "replayed" those drawn from the
buffer; the source "all" is both together. Without rows a figure is `None`, never 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import numpy as np

from avatar_core.records import CompletionRow, GroupRow, MetricsRow, Source, Tier

Selection = Literal["fresh", "replayed", "all"]
TIERS: tuple[Tier, ...] = get_args(Tier)
MAGNITUDE_EDGES = (0.0, 0.1, 0.25, 0.5, 1.0, 1.5, 2.0)
REWARD_BINS = 10


class Histogram(NamedTuple):
    """Counts between edges; the last bin holds its upper edge, too."""

    edges: tuple[float, ...]
    """Ascending, one more than counts; a value beyond the last edge is in the last bin."""
    counts: tuple[int, ...]
    """Values in each bin."""


@dataclass(frozen=True, slots=True)
class RewardDiversity:
    """How far the rewards of one source tell completions apart.

    Attributes:
        groups: groups of the source.
        completions: their scored completions.
        unscored: their completions without a reward.
        unique_mean: distinct rewards per group that has a scored member, mean.
        signal_share: share of groups whose rewards are not all equal.
        mean: mean reward.
        std: standard deviation of the rewards (population).
        lowest: least reward.
        highest: greatest reward.
        histogram: rewards in ten equal bins from lowest to highest.
    """

    groups: int
    completions: int
    unscored: int
    unique_mean: float | None
    signal_share: float | None
    mean: float | None
    std: float | None
    lowest: float | None
    highest: float | None
    histogram: Histogram | None


@dataclass(frozen=True, slots=True)
class AdvantageStatistics:
    """Distribution of the advantages of one source, before token weights.

    Attributes:
        count: completions with an advantage.
        mean: mean advantage.
        std: standard deviation (population).
        within_0_1: share with |A| ≤ 0.1, which hardly move the policy.
        within_0_25: share with |A| ≤ 0.25.
        beyond_1: share with |A| > 1.
        magnitudes: |A| in the bins of `MAGNITUDE_EDGES`.
    """

    count: int
    mean: float | None
    std: float | None
    within_0_1: float | None
    within_0_25: float | None
    beyond_1: float | None
    magnitudes: Histogram | None


@dataclass(frozen=True, slots=True)
class TierFigures:
    """One tier of the replay buffer.

    Attributes:
        stored: completions stored in the tier after the last step; `None` without replay.
        share: the same as a share of all tiers.
        draws: replayed groups that came from the tier.
        age_mean: mean age of these draws in optimiser steps.
        age_max: greatest age.
        reuse_mean: mean number of earlier draws of the same stored group.
    """

    stored: int | None
    share: float | None
    draws: int
    age_mean: float | None
    age_max: int | None
    reuse_mean: float | None


@dataclass(frozen=True, slots=True)
class Trend:
    """Mean of a figure over the first and the last tenth of the steps that have it."""

    first: float | None
    last: float | None


def reward_diversity(groups: Sequence[GroupRow], selection: Selection) -> RewardDiversity:
    """Count how many distinct rewards the groups of one source hold, and how rewards spread."""
    chosen = select(groups, selection)
    rewards = _values(chosen, lambda completion: completion.reward)
    total = sum(len(group.completions) for group in chosen)
    unique = [len(kinds) for group in chosen if (kinds := _distinct_rewards(group))]
    spread = rewards.size > 0
    return RewardDiversity(
        groups=len(chosen),
        completions=rewards.size,
        unscored=total - rewards.size,
        unique_mean=_mean(unique),
        signal_share=_mean([not group.no_signal for group in chosen]),
        mean=_mean(rewards),
        std=float(rewards.std()) if spread else None,
        lowest=float(rewards.min()) if spread else None,
        highest=float(rewards.max()) if spread else None,
        histogram=_equal_bins(rewards) if spread else None,
    )


def advantage_statistics(groups: Sequence[GroupRow], selection: Selection) -> AdvantageStatistics:
    """Describe the advantages that the completions of one source were trained with."""
    values = _values(select(groups, selection), lambda completion: completion.advantage)
    magnitudes = np.abs(values)
    return AdvantageStatistics(
        count=values.size,
        mean=_mean(values),
        std=float(values.std()) if values.size else None,
        within_0_1=_mean(magnitudes <= 0.1),
        within_0_25=_mean(magnitudes <= 0.25),
        beyond_1=_mean(magnitudes > 1.0),
        magnitudes=_histogram(magnitudes, MAGNITUDE_EDGES) if values.size else None,
    )


def tier_figures(
    metrics: Sequence[MetricsRow], groups: Sequence[GroupRow]
) -> dict[Tier, TierFigures]:
    """Occupancy, age and reuse of each tier.

    A stored group is told by its prompt and the step of its policy; its n-th draw has n - 1 earlier
    ones.
    """
    occupancy = _occupancy(metrics)
    known = sum(occupancy.values())
    ages: dict[Tier, list[int]] = {tier: [] for tier in TIERS}
    reuses: dict[Tier, list[int]] = {tier: [] for tier in TIERS}
    drawn: Counter[tuple[str, int]] = Counter()
    for group in select(groups, "replayed"):
        key = (group.prompt_id, group.policy_step)
        if group.tier is not None:
            ages[group.tier].append(group.step - group.policy_step)
            reuses[group.tier].append(drawn[key])
        drawn[key] += 1
    return {
        tier: TierFigures(
            stored=occupancy.get(tier),
            share=occupancy[tier] / known if tier in occupancy and known else None,
            draws=len(ages[tier]),
            age_mean=_mean(ages[tier]),
            age_max=max(ages[tier], default=None),
            reuse_mean=_mean(reuses[tier]),
        )
        for tier in TIERS
    }


def trend(values: Iterable[float | None]) -> Trend:
    """Compare the first and the last tenth of a figure's values, in order of the steps."""
    known = [value for value in values if value is not None]
    width = max(1, len(known) // 10)
    return Trend(_mean(known[:width]), _mean(known[-width:]))


def select(groups: Iterable[GroupRow], selection: Selection) -> list[GroupRow]:
    """Keep the groups of one source, or all of them."""
    wanted: set[Source] = {"fresh", "replayed"} if selection == "all" else {selection}
    return [group for group in groups if group.source in wanted]


def _occupancy(metrics: Sequence[MetricsRow]) -> dict[Tier, int]:
    if not metrics:
        return {}
    row = metrics[-1]
    counts: dict[Tier, int | None] = {
        "easy": row.tier_easy,
        "medium": row.tier_medium,
        "hard": row.tier_hard,
    }
    return {tier: count for tier, count in counts.items() if count is not None}


def _distinct_rewards(group: GroupRow) -> set[float]:
    # Sums of weighted parts that are equal on paper may differ in the last bits.
    return {round(item.reward, 6) for item in group.completions if item.reward is not None}


def _values(
    groups: Iterable[GroupRow], read: Callable[[CompletionRow], float | None]
) -> np.ndarray:
    found = [read(completion) for group in groups for completion in group.completions]
    return np.array([value for value in found if value is not None], dtype=np.float64)


def _mean(values: Sequence[float] | np.ndarray) -> float | None:
    return float(np.mean(values)) if len(values) else None


def _equal_bins(values: np.ndarray) -> Histogram:
    low, high = float(values.min()), float(values.max())
    if low == high:
        return Histogram((low, high), (values.size,))
    edges = np.linspace(low, high, REWARD_BINS + 1)
    return _histogram(values, tuple(float(edge) for edge in edges))


def _histogram(values: np.ndarray, edges: tuple[float, ...]) -> Histogram:
    counts, _ = np.histogram(np.minimum(values, edges[-1]), bins=np.array(edges))
    return Histogram(edges, tuple(int(count) for count in counts))
