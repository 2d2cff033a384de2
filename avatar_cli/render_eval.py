"""What `avatar eval` prints: the benchmarks there are, scores, gains, progress."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from avatar_cli.evaluation_table import evaluation_table
from avatar_cli.options import Output
from avatar_cli.render import (
    MISSING,
    console,
    count,
    emit_json,
    percent,
    progress_bar,
    safe,
    signed_percent,
    table_of,
)
from avatar_cli.tables import time_table
from avatar_cli.text import plain
from avatar_core.evaluation_records import EvalSummary, SubsetScore
from avatar_core.records import SCHEMA
from avatar_core.reporting.timing import evaluation_throughput, evaluation_times

if TYPE_CHECKING:
    from avatar_core.benchmarks import Benchmark, Published
    from avatar_core.evaluation.compare import Gain
    from avatar_core.evaluation.run import Evaluation

PROTOCOLS = "protocols differ: a few points either way are expected and say nothing"


@contextlib.contextmanager
def item_progress(output: Output) -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar of finished items while the block runs; yields what to tell it."""
    with progress_bar(output) as bar:
        task = bar.add_task("starting", total=None, note="")

        def tell(phrase: str, done: int, total: int) -> None:
            bar.update(task, description=escape(plain(phrase)), completed=done, total=total or None)

        yield tell


def benchmark_table(benchmarks: Iterable[Benchmark]) -> Table:
    """List benchmarks with what they hold and how they are scored."""
    table = table_of("Benchmarks", "name", "items")
    table.columns[0].no_wrap = True
    for heading in ("media", "metric"):
        table.add_column(heading)
    table.add_column("published", justify="right", no_wrap=True)
    for one in benchmarks:
        items = "endless" if one.items is None else count(one.items)
        table.add_row(one.name, items, one.media, one.metric, _published(one))
    table.caption = f"published: Qwen2.5-Omni-7B as it is, with GRPO, with AVATAR; {PROTOCOLS}"
    return table


def dataset_table(benchmarks: Iterable[Benchmark]) -> Table:
    """List the data set of each benchmark; beside all else its id would not fit on a terminal."""
    table = table_of("Data sets", "name")
    table.add_column("data set", overflow="fold")
    for one in benchmarks:
        table.add_row(one.name, one.dataset[0])
    return table


def benchmark_document(benchmarks: Iterable[Benchmark]) -> dict[str, Any]:
    """List benchmarks as JSON values."""
    fields = ("name", "dataset", "items", "media", "metric", "splits", "subsets", "modes", "styles")
    listed = [
        {field: getattr(one, field) for field in fields}
        | {"published": None if one.published is None else one.published._asdict()}
        for one in benchmarks
    ]
    return {"schema": SCHEMA, "benchmarks": listed}


def show_evaluations(evaluations: Sequence[Evaluation], gain: Gain | None, output: Output) -> None:
    """Print scores, and the gain over a baseline when there is one; tables or JSON."""
    if output.as_json:
        emit_json(evaluation_document(evaluations, gain))
        return
    screen = console()
    for evaluation in evaluations:
        for breakdown in sorted(evaluation.summary.groups):
            screen.print(subset_table(evaluation.summary, breakdown))
        screen.print(evaluation_table(evaluation.summary))
        if (timing := evaluation.timing) is not None:
            screen.print(time_table(evaluation_times(timing), evaluation_throughput(timing)))
        if evaluation.published is not None:
            screen.print(published_table(evaluation.summary, evaluation.published))
        if gain is not None:
            screen.print(gain_table(gain))
        screen.print(Text("Results in ") + safe(str(evaluation.directory)), soft_wrap=True)
    if len(evaluations) > 1:
        screen.print(overview_table([evaluation.summary for evaluation in evaluations]))


def evaluation_document(evaluations: Sequence[Evaluation], gain: Gain | None) -> dict[str, Any]:
    """Give scores and gain as JSON values."""
    return {
        "schema": SCHEMA,
        "evaluations": [
            {"directory": str(one.directory), **one.summary.to_row()} for one in evaluations
        ],
        "gain": None if gain is None else {**gain._asdict(), "baseline": str(gain.baseline)},
    }


def _published(benchmark: Benchmark) -> str:
    return "  ".join(f"{figure:.1f}" for figure in benchmark.published or ())


def subset_table(summary: EvalSummary, breakdown: str) -> Table:
    """Show items and accuracy of each category of a breakdown."""
    title = safe(f"Accuracy by {breakdown}")
    table = table_of(title, safe(breakdown), "items", "correct", "accuracy")
    categories: Mapping[str, SubsetScore] = summary.groups[breakdown]
    for category, score in categories.items():
        table.add_row(safe(category), count(score.n), count(score.correct), percent(score.accuracy))
    return table


def overview_table(summaries: Sequence[EvalSummary]) -> Table:
    """Show the scores of several benchmarks, a row each."""
    headings = ("items", "figure", "score", "95 % interval")
    table = table_of("All benchmarks", "benchmark", *headings)
    for one in summaries:
        bounds = [percent(bound) for bound in one.ci95] if one.ci95 else [MISSING]
        figures = (safe(one.headline), percent(one.accuracy), " to ".join(bounds))
        table.add_row(safe(one.benchmark), count(one.n), *figures)
    return table


def published_table(summary: EvalSummary, published: Published) -> Table:
    """Show a score beside those that AVATAR's authors give."""
    table = table_of("Beside the published figures of Qwen2.5-Omni-7B", "", "")
    table.add_row(safe(summary.model), percent(summary.accuracy))
    for label, figure in zip(("as it is", "with GRPO", "with AVATAR"), published, strict=True):
        table.add_row(f"published, {label}", percent(figure / 100))
    table.caption = PROTOCOLS
    return table


def gain_table(gain: Gain) -> Table:
    """Show a score beside an earlier one, and the paired difference."""
    table = table_of("Against the baseline", "", "")
    bounds = [signed_percent(bound) for bound in gain.interval] if gain.interval else None
    table.add_row("baseline", percent(gain.before))
    table.add_row("now", percent(gain.after))
    table.add_row("gain on the same items", signed_percent(gain.gain))
    table.add_row("95 % interval of the gain", " to ".join(bounds) if bounds else MISSING)
    table.add_row("items gained, lost", f"{gain.gained}, {gain.lost}")
    table.add_row("exact McNemar test, p", f"{gain.p_value:.3f}")
    if gain.changes:
        table.caption = safe(f"the settings differ too: {'; '.join(gain.changes)}")
    for name, figure in gain.figures.items():
        table.add_row(name.replace("_", " "), percent(figure))
    return table
