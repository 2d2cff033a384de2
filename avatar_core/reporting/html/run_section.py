"""The part of the page that is about one run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from avatar_core.evaluation_records import EvalSummary
from avatar_core.records import Manifest
from avatar_core.reporting.html.blocks import facts, grid, section, table
from avatar_core.reporting.html.completion import example_of, shaded_completion
from avatar_core.reporting.html.groups_table import groups_table
from avatar_core.reporting.html.markup import Markup, tag
from avatar_core.reporting.html.numbers import MISSING, count, decimal, percent, points
from avatar_core.reporting.html.plots_learning import (
    accuracy_figure,
    clip_figure,
    diversity_figure,
    gradient_figure,
    kl_figure,
    loss_figure,
    reward_figure,
    signal_figure,
    trend_table,
)
from avatar_core.reporting.html.plots_replay import (
    age_figure,
    ess_figure,
    occupancy_figure,
    reuse_figure,
)
from avatar_core.reporting.html.plots_scores import held_out_figure, interval, score_figure
from avatar_core.reporting.html.plots_shaping import advantage_figure, weight_figure
from avatar_core.reporting.html.plots_time import time_figure, time_table
from avatar_core.reporting.html.views import RunView
from avatar_core.reporting.html.weights import shaping_of
from avatar_core.reporting.statistics import Trend, trend


def run_section(
    view: RunView, prefix: str, limit: int, strips: Mapping[str, str], *, alone: bool = False
) -> Markup:
    """Everything about one run.

    Args:
        view: the run.
        prefix: of the ids of its elements.
        limit: about how many groups to show.
        strips: id of the picture of each prompt that has one.
        alone: it is the only one, and the title of the page names it already.
    """
    metrics, groups = view.records.metrics, view.records.groups
    learning = grid(
        trend_table(view.summary.trends),
        loss_figure(metrics),
        reward_figure(metrics),
        accuracy_figure(metrics),
        signal_figure(metrics),
        diversity_figure(groups),
    )
    update = grid(
        kl_figure(metrics), clip_figure(metrics), ess_figure(metrics), gradient_figure(metrics)
    )
    replay = grid(
        occupancy_figure(metrics, view.summary), age_figure(metrics), reuse_figure(metrics)
    )
    return tag(
        "article",
        tag("h2", view.name, id=prefix, dir="auto", class_="unseen" if alone else None),
        summary_card(view),
        section("Scores", *_scores(view), anchor=f"{prefix}-scores"),
        section("Learning", learning, anchor=f"{prefix}-learning"),
        section("Accuracy by question family", _families(view), anchor=f"{prefix}-families"),
        section("Advantages", _shaping(view), anchor=f"{prefix}-advantages"),
        section("Update", update, anchor=f"{prefix}-update"),
        section("Replay", replay, anchor=f"{prefix}-replay"),
        section("Hints", _hints(view), anchor=f"{prefix}-hints"),
        section(
            "Time",
            grid(time_figure(metrics, view.summary), time_table(view.summary)),
            anchor=f"{prefix}-time",
        ),
        section("Groups", groups_table(groups, limit, strips, prefix), anchor=f"{prefix}-groups"),
        section("Made with", *_made_with(view), anchor=f"{prefix}-manifest"),
        aria_labelledby=prefix,
    )


def summary_card(view: RunView) -> Markup:
    """The figures that tell how a run went."""
    summary = view.summary
    pairs: list[tuple[str, str | Markup | None]] = []
    if summary.evaluation is not None:
        score = summary.evaluation
        pairs += [
            (score.headline, percent(score.accuracy)),
            ("95 % interval", interval(score.ci95, percent)),
            ("items", count(score.n)),
        ]
    elif view.answered is not None:
        pairs.append(("items answered, no score yet", count(view.answered)))
    if summary.steps:
        pairs.append(("steps", _progress(view)))
    if summary.completions_generated:
        pairs.append(("completions generated", count(summary.completions_generated)))
    if view.held_out is not None:
        pairs.append(("held-out gain, points", points(view.held_out["gain"])))
    if summary.accuracy.last is not None:
        pairs.append(("fresh accuracy", _moved(summary.accuracy)))
    if summary.rewards["fresh"].groups:
        pairs.append(("groups with signal", percent(summary.rewards["fresh"].signal_share)))
        pairs.append(("distinct rewards", decimal(summary.rewards["fresh"].unique_mean, 2)))
    if not pairs:
        pairs.append(("state", "no training step on record"))
    path = tag("p", str(view.records.path), class_="note path", dir="auto")
    return tag("div", facts(pairs, "card"), path)


def _progress(view: RunView) -> str:
    last = view.records.metrics[-1].step
    planned = (view.records.config or {}).get("steps")
    whole = isinstance(planned, int) and planned > last
    return f"{count(last)} of {count(planned)}" if whole else count(last)


def _moved(moved: Trend) -> str:
    return f"{percent(moved.first)} → {percent(moved.last)}"


def _scores(view: RunView) -> list[Markup | None]:
    score = view.summary.evaluation
    held_out = held_out_figure([view])
    if score is None:
        return [grid(held_out)]
    return [grid(score_figure([view]), _status(score)), *_breakdowns(score)]


def _status(score: EvalSummary) -> Markup:
    rows: list[list[str]] = [[name, count(number)] for name, number in score.status.items()]
    rows.append(["answered", count(score.answered)])
    rows.append([f"{score.headline} of these", percent(score.accuracy_answered)])
    rows += [
        [name.replace("_", " "), MISSING if value is None else f"{value:.4g}"]
        for name, value in score.metrics.items()
    ]
    return table((f"{score.model} on {score.benchmark}", ""), rows, "What became of the items")


def _breakdowns(score: EvalSummary) -> list[Markup | None]:
    return [
        table(
            (name, "items", "right", score.headline),
            [
                [category, count(found.n), count(found.correct), percent(found.accuracy)]
                for category, found in categories.items()
            ],
            f"By {name}",
        )
        for name, categories in score.groups.items()
    ]


def _families(view: RunView) -> Markup | None:
    """First and last tenth of the steps that asked each family."""
    metrics = view.records.metrics
    names = sorted({name for row in metrics for name in row.families})
    rows: list[list[str]] = []
    for name in names:
        moved = trend(row.families.get(name) for row in metrics)
        if moved.first is not None and moved.last is not None:
            change = points(moved.last - moved.first)
            rows.append([name, percent(moved.first), percent(moved.last), change])
    head = ("family", "first tenth", "last tenth", "change, points")
    return table(head, rows, "Fresh accuracy by question family") if rows else None


def _shaping(view: RunView) -> Markup | None:
    shaping = shaping_of(view.records.config)
    example = example_of(view.records.groups)
    trained = any(row.completions_trained for row in view.records.metrics[-1:])
    return grid(
        advantage_figure(view.records.groups, view.summary),
        weight_figure(shaping) if shaping and trained else None,
        shaded_completion(example, shaping) if shaping and example else None,
    )


def _hints(view: RunView) -> Markup | None:
    hints = view.summary.hints
    if not view.records.groups:
        return None
    if not (hints.used or hints.refused):
        return tag("p", "No hint was shown.")
    return facts(
        [
            ("groups with a hint", count(hints.used)),
            ("prompts", count(hints.prompts)),
            ("groups with a right answer", count(hints.answered)),
            ("hints that hold the answer", count(hints.leaked)),
            ("refused", count(hints.refused)),
        ]
    )


def _made_with(view: RunView) -> list[Markup | None]:
    manifest, config = view.records.manifest, view.records.config
    return [
        _manifest(manifest) if manifest else None,
        _folded("Configuration", config) if config else None,
    ]


def _manifest(manifest: Manifest) -> Markup:
    versions = ", ".join(f"{name} {version}" for name, version in manifest.versions.items())
    return facts(
        [
            ("model", manifest.model),
            ("fingerprint", manifest.model_fingerprint or MISSING),
            ("started", manifest.created),
            ("device", manifest.device),
            ("threads", count(manifest.threads)),
            ("seed", str(manifest.seed)),
            ("command", tag("code", " ".join(manifest.command))),
            ("versions", versions),
        ]
    )


def _folded(title: str, document: Mapping[str, Any]) -> Markup:
    text = json.dumps(document, indent=2, ensure_ascii=False)
    return tag("details", tag("summary", title), tag("pre", text), class_="data")
