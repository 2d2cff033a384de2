"""Every table of the terminal, from a run's summary; none is wider than 80 columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from avatar_cli.evaluation_table import evaluation_table
from avatar_cli.partial_table import partial_table
from avatar_cli.render import MISSING, count, decimal, percent, safe, signed_percent, table_of
from avatar_cli.trend_table import trend_table
from avatar_core.plural import counted
from avatar_core.reporting.statistics import AdvantageStatistics, RewardDiversity
from avatar_core.reporting.summary import SELECTIONS, RunSummary
from avatar_core.reporting.timing import PhaseTime, Throughput


def run_heading(summary: RunSummary) -> Text:
    """Give the line above a run's tables: where it is, how far it is, how its accuracy moved."""
    facts = []
    if summary.stage is not None:
        facts.append(f"stage {summary.stage}")
        facts.append(counted(summary.steps, "step"))
    if summary.completions_generated is not None:
        facts.append(f"{counted(summary.completions_generated, 'completion')} generated")
    if summary.accuracy.last is not None:
        facts.append(
            f"training accuracy {percent(summary.accuracy.first)} in the first tenth of the steps, "
            f"{percent(summary.accuracy.last)} in the last"
        )
    if not facts and summary.evaluation is None and summary.partial is None:
        facts.append("no training step on record")
    path = safe(summary.path)
    path.stylize("bold")
    return Text(", ").join([path, *map(Text, facts)])


def run_tables(summary: RunSummary) -> list[Table]:
    """Give the tables a run has data for, in the order they are read."""
    tables = []
    if summary.evaluation:
        tables.append(evaluation_table(summary.evaluation))
    if summary.partial:
        tables.append(partial_table(summary.partial))
    if summary.trends:
        tables.append(trend_table(summary.trends))
    if summary.rewards["all"].groups:
        tables += [reward_table(summary), advantage_table(summary)]
    if any(figures.stored is not None or figures.draws for figures in summary.tiers.values()):
        tables.append(tier_table(summary))
    if summary.phases:
        tables.append(time_table(summary.phases, summary.throughput))
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
    headings = ("stored", "share", "draws", "age mean", "age max", "reuse mean")
    table = table_of("Replay buffer", "tier", *headings)
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
    table.caption = "stored in completions, draws in groups, age in steps, reuse in draws"
    return table


def time_table(phases: Mapping[str, PhaseTime], throughput: Throughput) -> Table:
    """Show wall times by phase, parts below their phase, and what they bought."""
    table = table_of("Time by phase", "phase", "seconds", "share")
    # Room for the caption, which is folded at the width of the table.
    table.columns[0].min_width = 14
    for phase, time in phases.items():
        table.add_row(phase, decimal(time.seconds, 1), percent(time.share))
        for part, own in time.parts.items():
            table.add_row(f"  {part}", decimal(own.seconds, 1), percent(own.share))
    table.caption = throughput_line(throughput)
    return table


def throughput_line(found: Throughput) -> str | None:
    """Say how many items and tokens a second there were, a line each; `None` without any."""
    rates = (
        (found.items_per_second, "items", 2),
        (found.generated_per_second, "tokens generated", 0),
        (found.trained_per_second, "tokens trained on", 0),
    )
    said = [
        f"{rate:,.{digits}f} {what} per second" for rate, what, digits in rates if rate is not None
    ]
    return "\n".join(said) or None


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
    table = _by_source("Advantage magnitude |A|, share of completions")
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


def held_out_table(gained: Mapping[str, Any]) -> Table:
    """Show the accuracy on held-out samples before and after a stage, and the paired gain.

    Args:
        gained: as of `avatar_core.training.held_out.document_of`.
    """
    title = f"Accuracy on {counted(gained['samples'], 'held-out sample')}"
    table = table_of(title, "", "accuracy", "95 % interval")
    for moment in ("before", "after"):
        accuracy = gained[moment]
        table.add_row(moment, percent(accuracy["value"]), _interval(accuracy["interval"], percent))
    bounds = _interval(gained["gain_interval"], signed_percent)
    table.add_row("gain on the same samples", signed_percent(gained["gain"]), bounds)
    return table


def comparison_table(summaries: Sequence[RunSummary]) -> Table:
    """Set several runs side by side: first against last tenth of the steps, and signal."""
    headings = ("steps", "completions", "accuracy", "reward", "signal", "|A| ≤ 0.1")
    table = table_of("Runs compared", "run", *headings)
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


def _by_source(title: str) -> Table:
    return table_of(title, "", *SELECTIONS)
