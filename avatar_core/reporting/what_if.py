"""Advantages that the groups of a run would have had under another λ, shape or baseline.

No model is needed: rewards are on record, and so is the order in which prompts were visited. The
formulas are handed in, since they work on tensors and reports are made without torch.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from itertools import groupby
from typing import Any, Literal, NamedTuple, Protocol

from avatar_core.config.train import AdvantageConfig, Shape, TrainConfig
from avatar_core.errors import UsageError
from avatar_core.records import GroupRow, Source
from avatar_core.reporting.shaping import TokenStatistics, token_statistics
from avatar_core.reporting.statistics import (
    AdvantageStatistics,
    Selection,
    advantage_statistics,
    select,
)
from avatar_core.reporting.summary import SELECTIONS

Baseline = Literal["group", "vcrs"]
AS_TRAINED: Mapping[Source, Baseline] = {"fresh": "group", "replayed": "vcrs"}


class Formulas(Protocol):
    """The equations on plain numbers; `avatar_core.algo.plain` is one."""

    def group_values(
        self, rewards: Sequence[float | None], *, eps: float, scale: Literal["std", "none"]
    ) -> list[float]:
        """Advantages relative to the group."""
        ...

    def vcrs_values(
        self,
        rewards: Sequence[float],
        baselines: Sequence[float],
        *,
        alpha: float,
        scale: Literal["batch", "none"],
    ) -> list[float]:
        """Advantages relative to the prompts' running means."""
        ...

    def token_weights(
        self, tokens: int, lam: float, *, shape: Shape, normalize: bool = False
    ) -> list[float]:
        """Weights of the tokens of one completion."""
        ...


@dataclass(frozen=True, slots=True)
class Signal:
    """What the completions of one source teach.

    Attributes:
        groups: groups with an advantage.
        silent_share: share of these whose advantages are all exactly 0.
        completions: distribution of the advantages.
        tokens: distribution of the advantages times the token weights.
    """

    groups: int
    silent_share: float | None
    completions: AdvantageStatistics
    tokens: TokenStatistics

    def to_document(self) -> dict[str, Any]:
        """Give the figures as JSON values."""
        document = asdict(self)
        magnitudes = self.completions.magnitudes
        document["completions"]["magnitudes"] = magnitudes._asdict() if magnitudes else None
        return document


@dataclass(frozen=True, slots=True)
class Scenario:
    """Settings, and what a run's completions teach under them.

    Attributes:
        tas_lambda: λ of the token weights.
        tas_shape: curve of the token weights.
        baselines: what the completions of each source are compared with.
        signals: figures by source.
    """

    tas_lambda: float
    tas_shape: Shape
    baselines: Mapping[Source, Baseline]
    signals: Mapping[Selection, Signal]

    def to_document(self) -> dict[str, Any]:
        """Give settings and figures as JSON values."""
        return {
            "tas_lambda": self.tas_lambda,
            "tas_shape": self.tas_shape,
            "baselines": dict(self.baselines),
            **{name: signal.to_document() for name, signal in self.signals.items()},
        }


class WhatIf(NamedTuple):
    """A run as it was recorded, and as its groups would have been."""

    recorded: Scenario
    """From the recorded advantages."""
    changed: Scenario
    """From the recomputed ones."""


def check_recomputable(config: TrainConfig) -> None:
    """Raise `UsageError` when a run's advantages hang on more than its records hold."""
    for setting, used in (
        ("advantage.baseline=shrinkage", config.advantage.baseline == "shrinkage"),
        ("replay.inject_success=true", config.replay.inject_success),
        ("replay.priority=fresh", config.replay.priority == "fresh"),
    ):
        if used:
            raise UsageError(
                f"{setting}: the records of such a run do not hold what its advantages were "
                "computed from; what-if reads runs without it"
            )


def what_if(
    groups: Sequence[GroupRow],
    recorded: AdvantageConfig,
    changed: AdvantageConfig,
    formulas: Formulas,
    *,
    baseline: Baseline | None,
    window: int,
) -> WhatIf:
    """Compare a run's advantages with those under other settings.

    Args:
        groups: rows of the run in order of the steps.
        recorded: settings of the run.
        changed: settings to try.
        formulas: the equations.
        baseline: see `recomputed`.
        window: fresh rewards of a prompt that R̄ averages.
    """
    after = recomputed(groups, changed, formulas, baseline=baseline, window=window)
    tried: Mapping[Source, Baseline] = {
        source: baseline or trained for source, trained in AS_TRAINED.items()
    }
    return WhatIf(
        recorded=_scenario(groups, recorded, formulas, AS_TRAINED),
        changed=_scenario(after, changed, formulas, tried),
    )


def recomputed(
    groups: Sequence[GroupRow],
    config: AdvantageConfig,
    formulas: Formulas,
    *,
    baseline: Baseline | None,
    window: int,
) -> list[GroupRow]:
    """The same rows with the advantages that the formulas give.

    Completions without a recorded advantage were not trained on and stay without one; their rewards
    count in their group all the same. α scales what is replayed, whatever its baseline.

    Args:
        groups: rows in order of the steps.
        config: scales of the advantages.
        formulas: the equations.
        baseline: "group" compares the members of a row with each other, "vcrs" with the prompt's
            R̄ before the step; `None` does the first with fresh rows, the second with replayed ones.
        window: fresh rewards of a prompt that R̄ averages.
    """
    means = running_means(groups, window)
    rows = list(groups)
    for _, part in groupby(range(len(rows)), key=lambda i: (rows[i].step, rows[i].source)):
        places = list(part)
        source = rows[places[0]].source
        alpha = config.alpha if source == "replayed" else 1.0
        found = [rows[place] for place in places]
        if (baseline or AS_TRAINED[source]) == "group":
            advantages = [_within_group(row, config, formulas, alpha) for row in found]
        else:
            against = [_mean_of(rows[place], means[place]) for place in places]
            advantages = _against_means(found, against, config, formulas, alpha)
        for place, values in zip(places, advantages, strict=True):
            rows[place] = _with_advantages(rows[place], values)
    return rows


def running_means(groups: Sequence[GroupRow], window: int) -> list[float]:
    """R̄ of each row's prompt before the row's step; 0 for a prompt without a fresh reward.

    The mean of the last `window` fresh rewards, as the replay buffer keeps it: hinted groups and
    those of steps that were not taken never enter.
    """
    recent: dict[str, deque[float]] = {}
    means: list[float] = []
    for _, step in groupby(groups, key=lambda row: row.step):
        rows = list(step)
        means += [_mean(recent.get(row.prompt_id, ())) for row in rows]
        for row in rows:
            if row.source == "fresh" and not row.hinted and _trained(row):
                rewards = recent.setdefault(row.prompt_id, deque(maxlen=window))
                rewards.extend(c.reward for c in row.completions if c.reward is not None)
    return means


def _scenario(
    groups: Sequence[GroupRow],
    config: AdvantageConfig,
    formulas: Formulas,
    baselines: Mapping[Source, Baseline],
) -> Scenario:
    @cache
    def weights_of(tokens: int) -> Sequence[float]:
        return formulas.token_weights(
            tokens, config.tas_lambda, shape=config.tas_shape, normalize=config.tas_normalize
        )

    signals = {name: _signal(groups, name, weights_of) for name in SELECTIONS}
    return Scenario(config.tas_lambda, config.tas_shape, baselines, signals)


def _signal(
    groups: Sequence[GroupRow], selection: Selection, weights_of: Callable[[int], Sequence[float]]
) -> Signal:
    trained = [row for row in select(groups, selection) if _trained(row)]
    silent = [not any(item.advantage for item in row.completions) for row in trained]
    return Signal(
        groups=len(trained),
        silent_share=sum(silent) / len(silent) if silent else None,
        completions=advantage_statistics(trained, selection),
        tokens=token_statistics(trained, selection, weights_of),
    )


def _within_group(
    row: GroupRow, config: AdvantageConfig, formulas: Formulas, alpha: float
) -> list[float]:
    rewards = [completion.reward for completion in row.completions]
    values = formulas.group_values(rewards, eps=config.eps, scale=config.scale)
    return [alpha * value for value in values]


def _against_means(
    rows: Sequence[GroupRow],
    means: Sequence[float],
    config: AdvantageConfig,
    formulas: Formulas,
    alpha: float,
) -> list[list[float]]:
    """Advantages of the rows that one step trained on; σ is that of all their rewards."""
    used = [
        (place, member, completion.reward)
        for place, row in enumerate(rows)
        for member, completion in enumerate(row.completions)
        if completion.reward is not None and completion.advantage is not None
    ]
    values = formulas.vcrs_values(
        [reward for _, _, reward in used],
        [means[place] for place, _, _ in used],
        alpha=alpha,
        scale=config.vcrs_scale,
    )
    advantages = [[0.0] * len(row.completions) for row in rows]
    for (place, member, _), value in zip(used, values, strict=True):
        advantages[place][member] = value
    return advantages


def _with_advantages(row: GroupRow, values: Sequence[float]) -> GroupRow:
    completions = tuple(
        item if item.advantage is None else item.model_copy(update={"advantage": value})
        for item, value in zip(row.completions, values, strict=True)
    )
    return row.model_copy(update={"completions": completions})


def _mean_of(row: GroupRow, rebuilt: float) -> float:
    """The R̄ on record, else the rebuilt one."""
    return rebuilt if row.baseline is None else row.baseline


def _trained(row: GroupRow) -> bool:
    return any(completion.advantage is not None for completion in row.completions)


def _mean(rewards: Sequence[float] | deque[float]) -> float:
    return sum(rewards) / len(rewards) if rewards else 0.0
