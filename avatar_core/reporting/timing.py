"""Where the wall time of a run or an evaluation went, and how many tokens it bought."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from avatar_core.evaluation_records import EVAL_PHASES, EvalTiming
from avatar_core.records import MetricsRow

PHASES: dict[str, dict[str, str]] = {
    "media": {},
    "encode": {},
    "generate": {"prefill": "prefill", "decode": "decode"},
    "reward": {},
    "train": {
        "encode": "train_encode",
        "logprobs": "logprobs",
        "reference": "reference",
        "backward": "backward",
        "optimiser": "optimiser",
    },
}
"""Phases of a step in their order, each with its parts and what their fields are called."""


@dataclass(frozen=True, slots=True)
class PhaseTime:
    """Wall time of one phase, or of one part of a phase.

    Attributes:
        seconds: over the run.
        share: the same as a share of all phases.
        parts: what the phase is made of, as far as it was timed; may add up to less.
    """

    seconds: float
    share: float | None
    parts: dict[str, PhaseTime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Throughput:
    """Tokens by the wall time that they took; a rate is `None` when either was not recorded.

    Attributes:
        prompt: tokens of prompts, each once for all its completions; `None` when not recorded.
        generated: tokens of completions.
        trained: tokens of completions that entered an update, replayed ones each time.
        generated_per_second: of the phase "generate", or of an evaluation's answers.
        trained_per_second: of the phase "train".
        items_per_second: items of an evaluation; `None` for training.
    """

    prompt: int | None = None
    generated: int | None = None
    trained: int | None = None
    generated_per_second: float | None = None
    trained_per_second: float | None = None
    items_per_second: float | None = None


def phase_times(metrics: Sequence[MetricsRow]) -> dict[str, PhaseTime]:
    """Seconds by phase, summed over the steps; a phase or part no step timed is left out."""
    totals = {phase: total for phase in PHASES if (total := _total(metrics, phase)) is not None}
    whole = sum(totals.values())

    def timed(seconds: float, parts: Mapping[str, float | None]) -> PhaseTime:
        known = {part: timed(own, {}) for part, own in parts.items() if own is not None}
        return PhaseTime(seconds, seconds / whole if whole else None, known)

    return {
        phase: timed(seconds, {part: _total(metrics, name) for part, name in PHASES[phase].items()})
        for phase, seconds in totals.items()
    }


def throughput(metrics: Sequence[MetricsRow]) -> Throughput:
    """Tokens of a run's steps and how fast they were generated and trained on."""
    if not metrics:
        return Throughput()
    generated = metrics[-1].tokens_generated
    # Rows of earlier releases hold no such count; a rate is over the steps that do.
    prompts = [row.tokens_prompt for row in metrics if row.tokens_prompt is not None]
    updates = [row for row in metrics if row.tokens_trained is not None]
    trained = sum(row.tokens_trained or 0 for row in updates) if updates else None
    return Throughput(
        prompt=sum(prompts) if prompts else None,
        generated=generated,
        trained=trained,
        generated_per_second=_rate(generated, _total(metrics, "generate")),
        trained_per_second=_rate(trained, _total(updates, "train")),
    )


def evaluation_times(timing: EvalTiming) -> dict[str, PhaseTime]:
    """Seconds of an evaluation by phase in the order of the work, shares of its items' time."""
    whole = timing.seconds
    names = dict.fromkeys((*EVAL_PHASES, *timing.phases))
    return {
        name: PhaseTime(seconds, seconds / whole if whole else None)
        for name in names
        if (seconds := timing.phases.get(name)) is not None
    }


def evaluation_throughput(timing: EvalTiming) -> Throughput:
    """Tokens and items of an evaluation; its rates are over the whole time of its items."""
    return Throughput(
        prompt=timing.tokens_prompt,
        generated=timing.tokens_generated,
        generated_per_second=_rate(timing.tokens_generated, timing.seconds),
        items_per_second=timing.items_per_second,
    )


def _total(metrics: Sequence[MetricsRow], name: str) -> float | None:
    """Seconds of a field `seconds_<name>` over the steps that timed it; `None` when none did."""
    found = [getattr(row, f"seconds_{name}") for row in metrics]
    seconds = [value for value in found if value is not None]
    return float(sum(seconds)) if seconds else None


def _rate(amount: int | None, seconds: float | None) -> float | None:
    return amount / seconds if amount is not None and seconds else None
