"""One run's figures in one value: what tables show, `--json` prints and the page plots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from avatar_core.evaluation_records import EvalSummary
from avatar_core.records import Tier
from avatar_core.reporting.hints import HintFigures, hint_figures
from avatar_core.reporting.partial import PartialEvaluation, partial_evaluation
from avatar_core.reporting.records_io import RunRecords
from avatar_core.reporting.statistics import (
    AdvantageStatistics,
    RewardDiversity,
    Selection,
    TierFigures,
    Trend,
    advantage_statistics,
    reward_diversity,
    tier_figures,
    trend,
)
from avatar_core.reporting.timing import (
    PhaseTime,
    Throughput,
    evaluation_throughput,
    evaluation_times,
    phase_times,
    throughput,
)
from avatar_core.reporting.trends import Course, courses

SELECTIONS: tuple[Selection, ...] = ("fresh", "replayed", "all")


@dataclass(frozen=True, slots=True)
class RunSummary:
    """The figures of one run.

    Attributes:
        path: run directory, as it was given.
        stage: training stage; `None` before the first step.
        steps: optimiser steps on record.
        completions_generated: completions ever sampled; `None` before the first step.
        rewards: reward diversity by source.
        advantages: advantage statistics by source.
        tiers: replay buffer by tier.
        hints: how often hints were shown and refused.
        phases: wall time by phase, of the steps or of an evaluation.
        throughput: tokens, and how many a second.
        accuracy: accuracy of fresh completions, first and last tenth of the steps.
        reward: mean reward of fresh completions, first and last tenth of the steps.
        trends: how figures moved over the steps, by name; see `avatar_core.reporting.trends`.
        evaluation: score, when the directory is an evaluation that has ended.
        partial: how far it is, when it is one that has not.
    """

    path: str
    stage: int | None
    steps: int
    completions_generated: int | None
    rewards: Mapping[Selection, RewardDiversity]
    advantages: Mapping[Selection, AdvantageStatistics]
    tiers: Mapping[Tier, TierFigures]
    hints: HintFigures
    phases: Mapping[str, PhaseTime]
    throughput: Throughput
    accuracy: Trend
    reward: Trend
    trends: Mapping[str, Course]
    evaluation: EvalSummary | None
    partial: PartialEvaluation | None

    def to_document(self) -> dict[str, Any]:
        """Give the summary as JSON values."""
        document = {name: value for name, value in asdict(self).items() if name != "evaluation"}
        # A named tuple becomes a list in JSON; its field names are part of what it says.
        for table, field in (("rewards", "histogram"), ("advantages", "magnitudes")):
            for figures in document[table].values():
                histogram = figures[field]
                figures[field] = None if histogram is None else histogram._asdict()
        document["evaluation"] = self.evaluation.to_row() if self.evaluation else None
        return document


def summarise(records: RunRecords) -> RunSummary:
    """Compute every figure of a run from its records."""
    last = records.metrics[-1] if records.metrics else None
    timing = records.timing
    return RunSummary(
        path=str(records.path),
        stage=last.stage if last else None,
        steps=len(records.metrics),
        completions_generated=last.completions_generated if last else None,
        rewards={name: reward_diversity(records.groups, name) for name in SELECTIONS},
        advantages={name: advantage_statistics(records.groups, name) for name in SELECTIONS},
        tiers=tier_figures(records.metrics, records.groups),
        hints=hint_figures(records.metrics, records.groups),
        phases=evaluation_times(timing) if timing else phase_times(records.metrics),
        throughput=evaluation_throughput(timing) if timing else throughput(records.metrics),
        accuracy=trend(row.accuracy_fresh for row in records.metrics),
        reward=trend(row.reward_mean for row in records.metrics),
        trends=courses(records.metrics),
        evaluation=records.evaluation,
        partial=None if records.evaluation else partial_evaluation(records.path, records.config),
    )
