"""Every table of the terminal, from a run's summary; none is wider than 80 columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from avatar_cli.render import MISSING, count, decimal, percent, safe, signed_percent
from avatar_core.records import EvalSummary
from avatar_core.reporting.statistics import AdvantageStatistics, RewardDiversity
from avatar_core.reporting.summary import SELECTIONS, RunSummary

COUNTED = frozenset({"open_items", "counted"})
"""Further figures of an evaluation that are numbers of items."""
ERRORS = frozenset({"mae", "rmse"})
"""Those that are in units of the answer; all others are shares."""


def run_heading(summary: RunSummary) -> Text:
    """Give the line above a run's tables: where it is, how far it is, how its accuracy moved."""
    facts = []
    if summary.stage is not None:
        facts.append(f"stage {summary.stage}")
        facts.append(f"{count(summary.steps)} steps")
        facts.append(f"{count(summary.completions_generated)} completions generated")
    if summary.accuracy.last is not None:
        facts.append(
            f"training accuracy {percent(summary.accuracy.first)} at first, "
            f"{percent(summary.accuracy.last)} at last"
        )
    if not facts and summary.evaluation is None:
        facts.append("no training step on record")
    path = safe(summary.path)
    path.stylize("bold")
    return Text(", ").join([path, *map(Text, facts)])


def run_tables(summary: RunSummary) -> list[Table]:
    """Give the tables a run has data for, in the order they are read."""
    tables = []
    if summary.evaluation:
        tables.append(evaluation_table(summary.evaluation))
    if summary.rewards["all"].groups:
        tables += [reward_table(summary), advantage_table(summary)]
    if any(figures.stored is not None or figures.draws for figures in summary.tiers.values()):
        tables.append(tier_table(summary))
    if summary.phases:
        tables.append(phase_table(summary))
    return tables


def reward_table(summary: RunSummary) -> Table:
    """Show *reward diversity*: fresh groups against replayed ones."""
    rows: list[tuple[str, Callable[[RewardDiversity], str]]] = [
        ("groups", lambda figures: count(figures.groups)),
        ("scored completions", lambda figures: count(figures.completions)),
        ("unscored completions", lambda figures: count(figures.unscored)),
        ("distinct rewards per group", lambda figures: decimal(figures.unique_mean, 2)),
        ("groups with signal", lambda figures: percent(figures.signal_share)),
        ("reward mean", lambda figures: decimal(figures.mean)),
        ("reward std", lambda figures: decimal(figures.std)),
        ("reward lowest", lambda figures: decimal(figures.lowest)),
        ("reward highest", lambda figures: decimal(figures.highest)),
    ]
    table = _by_source("Reward diversity")
    for label, show in rows:
        table.add_row(label, *(show(summary.rewards[name]) for name in SELECTIONS))
    return table


def advantage_table(summary: RunSummary) -> Table:
    """Show *advantage statistics*: fresh completions against replayed ones."""
    rows: list[tuple[str, Callable[[AdvantageStatistics], str]]] = [
        ("completions", lambda figures: count(figures.count)),
        ("mean", lambda figures: decimal(figures.mean)),
        ("std", lambda figures: decimal(figures.std)),
        ("|A| ≤ 0.1", lambda figures: percent(figures.within_0_1)),
        ("|A| ≤ 0.25", lambda figures: percent(figures.within_0_25)),
        ("|A| > 1", lambda figures: percent(figures.beyond_1)),
    ]
    table = _by_source("Advantage statistics")
    for label, show in rows:
        table.add_row(label, *(show(summary.advantages[name]) for name in SELECTIONS))
    return table


def tier_table(summary: RunSummary) -> Table:
    """Show the replay buffer by tier: occupancy, draws, age and reuse."""
    table = _table("Replay buffer", "tier")
    for heading in ("stored", "share", "draws", "age mean", "age max", "reuse mean"):
        table.add_column(heading, justify="right")
    for tier, figures in summary.tiers.items():
        table.add_row(
            tier,
            count(figures.stored),
            percent(figures.share),
            count(figures.draws),
            decimal(figures.age_mean, 1),
            count(figures.age_max),
            decimal(figures.reuse_mean, 2),
        )
    return table


def phase_table(summary: RunSummary) -> Table:
    """Show where the wall time went."""
    table = _table("Time by phase", "phase")
    table.add_column("seconds", justify="right")
    table.add_column("share", justify="right")
    for phase, time in summary.phases.items():
        table.add_row(phase, decimal(time.seconds, 1), percent(time.share))
    return table


def unique_reward_table(summary: RunSummary) -> Table:
    """Show how many distinct rewards a group holds, by source."""
    table = _by_source("Distinct rewards per group")
    rewards = [summary.rewards[name] for name in SELECTIONS]
    table.add_row("groups", *(count(figures.groups) for figures in rewards))
    table.add_row("distinct rewards", *(decimal(figures.unique_mean, 2) for figures in rewards))
    table.add_row("groups with signal", *(percent(figures.signal_share) for figures in rewards))
    return table


def magnitude_table(summary: RunSummary) -> Table:
    """Show the distribution of |A|, as shares of the completions of each source."""
    table = _by_source("Advantage magnitude")
    histograms = [summary.advantages[name].magnitudes for name in SELECTIONS]
    edges = next((histogram.edges for histogram in histograms if histogram), ())
    for index, (low, high) in enumerate(zip(edges, edges[1:], strict=False)):
        last = index == len(edges) - 2
        shares = (
            percent(histogram.counts[index] / sum(histogram.counts)) if histogram else percent(None)
            for histogram in histograms
        )
        table.add_row(f"{low:g} and more" if last else f"{low:g} to {high:g}", *shares)
    return table


def evaluation_table(score: EvalSummary) -> Table:
    """Show the score of an evaluation with its interval and what became of every item."""
    table = _table(safe(f"Evaluation of {score.model} on {score.benchmark}"), "")
    table.add_column("", justify="right")
    table.add_row(safe(score.headline), percent(score.accuracy))
    table.add_row("95 % interval", _interval(score.ci95, percent))
    answered = f"of {count(score.answered)} answered items only"
    table.add_row(answered, percent(score.accuracy_answered))
    for name, figure in score.metrics.items():
        if name != "mean_score" or figure != score.accuracy:
            table.add_row(safe(name.replace("_", " ")), _metric(name, figure))
    table.add_row("items", count(score.n))
    for status, number in score.status.items():
        table.add_row(f"  {status}", count(number))
    return table


def _metric(name: str, figure: float | None) -> str:
    """A further figure: a number of items, an error in units of the answer, else a share."""
    if figure is None:
        return MISSING
    if name in COUNTED:
        return count(int(figure))
    return decimal(figure) if name in ERRORS else percent(figure)


def held_out_table(gained: Mapping[str, Any]) -> Table:
    """Show the accuracy on held-out samples before and after a stage, and the paired gain.

    Args:
        gained: as of `avatar_core.training.held_out.document_of`.
    """
    table = _table(f"Accuracy on {count(gained['samples'])} held-out samples", "")
    for heading in ("accuracy", "95 % interval"):
        table.add_column(heading, justify="right")
    for moment in ("before", "after"):
        accuracy = gained[moment]
        table.add_row(moment, percent(accuracy["value"]), _interval(accuracy["interval"], percent))
    bounds = _interval(gained["gain_interval"], signed_percent)
    table.add_row("gain on the same samples", signed_percent(gained["gain"]), bounds)
    return table


def comparison_table(summaries: Sequence[RunSummary]) -> Table:
    """Set several runs side by side: first against last tenth of the steps, and signal."""
    table = _table("Runs compared", "run")
    table.columns[0].overflow = "fold"
    for heading in ("steps", "completions", "accuracy", "reward", "signal", "|A| ≤ 0.1"):
        table.add_column(heading, justify="right")
    for summary in summaries:
        accuracy, reward = summary.accuracy, summary.reward
        table.add_row(
            safe(summary.path),
            count(summary.steps),
            count(summary.completions_generated),
            f"{percent(accuracy.first)}\n{percent(accuracy.last)}",
            f"{decimal(reward.first)}\n{decimal(reward.last)}",
            percent(summary.rewards["fresh"].signal_share),
            percent(summary.advantages["all"].within_0_1),
        )
    return table


def _interval(bounds: tuple[float, float] | None, show: Callable[[float], str]) -> str:
    return " to ".join(map(show, bounds)) if bounds else MISSING


def _table(title: str | Text, first: str) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(first)
    return table


def _by_source(title: str) -> Table:
    table = _table(title, "")
    for name in SELECTIONS:
        table.add_column(name, justify="right")
    return table
