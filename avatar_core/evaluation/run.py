"""Evaluations: check every input, answer what is not answered yet, write rows and summary.

Nothing is written before names, settings, result directories, samples and model have been checked.
Rows are appended as batches finish. A batch is always answered whole, so that the numbers behind an
answer do not depend on where an earlier run was cut short.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from avatar_core.benchmarks import Item, Published
from avatar_core.config.evaluate import EvalConfig
from avatar_core.config.media import MediaConfig
from avatar_core.config.resolve import validate
from avatar_core.errors import TooManyFailures
from avatar_core.evaluation.answering import Backend, in_windows
from avatar_core.evaluation.backend import Answerer, LocalAnswerer
from avatar_core.evaluation.compare import (
    Gain,
    check_items,
    gain_over,
    read_baseline,
    settings_changed,
)
from avatar_core.evaluation.directory import check_weights
from avatar_core.evaluation.jobs import Job, Progress, check_request, make_job
from avatar_core.evaluation.ledger import finished, read_rows, write_rows
from avatar_core.evaluation.selecting import FAILED_LIMIT
from avatar_core.evaluation.served import ServedAnswerer, served_settings
from avatar_core.evaluation.tally import failed_share, headline, summarise
from avatar_core.evaluation.tasks import Task, clusters_of
from avatar_core.evaluation.timing import timing_of
from avatar_core.evaluation_records import FAILED, EvalRow, EvalSummary, EvalTiming
from avatar_core.files import JsonlAppender, read_json, run_lock, write_json
from avatar_core.media import MediaLoader
from avatar_core.records import Manifest, read_manifest
from avatar_core.run_directory import CONFIG, MANIFEST, RESULTS, SUMMARY, TIMING
from avatar_core.run_settings import RunSettings, run_settings
from avatar_core.stop import stop_on_signal


class Evaluation(NamedTuple):
    """The result of one benchmark."""

    directory: Path
    """Where its files are."""
    summary: EvalSummary
    """The score."""
    rows: tuple[EvalRow, ...]
    """One per item, in order of the benchmark."""
    clusters: dict[str, str]
    """Media of each item by id; items that share them are drawn together in intervals."""
    published: Published | None
    """Figures of AVATAR's authors that it may be set beside."""
    timing: EvalTiming | None
    """Where the time went; `None` when no row says, as with a served model."""


class EvalResult(NamedTuple):
    """The results of the benchmarks asked for, in their order."""

    evaluations: tuple[Evaluation, ...]
    """One per name."""
    gain: Gain | None
    """Over the baseline; `None` without one."""


def evaluate(
    config: EvalConfig, *, baseline: Path | None = None, progress: Progress | None = None
) -> EvalResult:
    """Score a model on benchmarks, or go on where an earlier call was cut short.

    Args:
        config: what to ask, of whom, and where the answers go.
        baseline: result directory of an earlier evaluation of the same items to compare with.
        progress: is told how it goes; called often.

    Raises:
        UsageError: an input is not usable; nothing has been written.
        TooManyFailures: more than 1 % of the items of a benchmark could not be asked, unless
            `config.allow_missing`; its files are complete.
        OutOfMemoryError: a single item does not fit into memory; what was answered is saved.
        ServiceError: the served model is down; what was answered is saved.
        Stopped: after a signal; what was answered is saved.
    """
    result = measure(config, baseline=baseline, progress=progress)
    refuse_failures(result, config)
    return result


def measure(
    config: EvalConfig,
    *,
    baseline: Path | None = None,
    progress: Progress | None = None,
    items: Mapping[str, Sequence[Item]] | None = None,
) -> EvalResult:
    """As `evaluate`, but whatever share of the items failed.

    Args:
        config: what to ask, of whom, and where the answers go.
        baseline: earlier evaluation to compare with.
        progress: is told how it goes.
        items: of each benchmark, as `load_items` gives them, where they were loaded before.
    """
    tell = progress or _silent
    settings = settings_of(config)
    check_request(config, settings)
    earlier = None if baseline is None else read_baseline(baseline, config.names)
    jobs = []
    for name in config.names:
        tell(f"preparing {name}", 0, 0)
        jobs.append(make_job(config, name, settings, (items or {}).get(name)))
    if earlier is not None:
        check_items(earlier, {task.id: task.gold for task in jobs[0].tasks})
        earlier = earlier._replace(changes=settings_changed(earlier, jobs[0].config))
    model = open_answerer(config, settings, tell)
    done = tuple(measure_job(job, model, tell) for job in jobs)
    gain = None
    if earlier is not None:
        added = earlier.question_only and not config.question_only
        gain = gain_over(
            earlier,
            done[0].rows,
            done[0].clusters,
            jobs[0].measure,
            jobs[0].benchmark.figures_of_media if added else None,
        )
    return EvalResult(done, gain)


def settings_of(config: EvalConfig) -> RunSettings:
    """How the model is asked when nobody says otherwise."""
    if config.backend == "openai":
        return served_settings(config.served)
    return run_settings(config.model)


def open_answerer(config: EvalConfig, settings: RunSettings, tell: Progress) -> Answerer:
    """The model that is asked; a local one is loaded here."""
    if config.backend == "openai":
        return ServedAnswerer(config.served)
    tell(f"loading {config.model}", 0, 0)
    return LocalAnswerer(settings.checkpoint)


def measure_job(job: Job, model: Answerer, tell: Progress) -> Evaluation:
    """Answer one benchmark under the lock of its result directory, and write its files."""
    directory = job.directory
    manifest = model.manifest(job.config)
    if job.config.resume:
        check_weights(directory, manifest.model_fingerprint)
    clusters = clusters_of(job.tasks)
    with run_lock(directory), MediaLoader(job.config.media or MediaConfig()) as loader:
        job = sized(job, model, loader)
        manifest = begin(job, manifest)
        answer_missing(job, model.backend(job.config, loader), tell)
        recorded = read_rows(directory)
        rows = [recorded[task.id] for task in job.tasks]
        write_rows(directory, rows)
        summary = summarise(
            rows,
            clusters,
            benchmark=job.benchmark.name,
            manifest=manifest,
            measure=job.measure,
            figures=job.benchmark.figures,
            asked=job.asked,
        )
        write_json(directory / SUMMARY, summary.to_row())
        timing = timing_of(rows)
        if timing is not None:
            write_json(directory / TIMING, timing.to_row())
    return Evaluation(directory, summary, tuple(rows), clusters, job.published, timing)


def sized(job: Job, model: Answerer, loader: MediaLoader) -> Job:
    """The job with a batch size: as asked, else that of the evaluation to go on with, else fitting.

    A choice by free memory is made once, so that the batches do not depend on the moment. Answers
    of a server do not depend on how many are asked for together.
    """
    config, stored = job.config, job.directory / CONFIG
    size = config.batch_size
    if size is None and config.backend == "hf" and config.resume and stored.is_file():
        size = validate(EvalConfig, read_json(stored)).batch_size
    if size is None:
        size = model.batch_size(config, job.tasks, loader)
    return job._replace(config=config.model_copy(update={"batch_size": size}))


def begin(job: Job, manifest: Manifest) -> Manifest:
    """The manifest of the evaluation to go on with, as it first began, else this new one."""
    stored = read_manifest(job.directory) if job.config.resume else None
    if stored is not None:
        return stored
    # The configuration comes last: a directory that has one has all that makes it an evaluation.
    for name in (CONFIG, SUMMARY, TIMING, RESULTS):
        (job.directory / name).unlink(missing_ok=True)
    write_json(job.directory / MANIFEST, manifest.to_row())
    write_json(job.directory / CONFIG, job.config.model_dump(mode="json"))
    return manifest


def answer_missing(job: Job, backend: Backend, tell: Progress) -> None:
    """Append the rows of all items that have none yet, or one that is tried again.

    Raises:
        Stopped: a signal came; the rows of finished batches are saved.
    """
    tasks = {task.id: task for task in job.tasks}
    kept = finished(read_rows(job.directory))
    done = {key: row for key, row in kept.items() if key in tasks and answers(row, tasks[key])}
    total = len(job.tasks)
    tell(standing(job, done.values()), len(done), total)
    owed = tasks.keys() - done.keys()
    with stop_on_signal() as stop, JsonlAppender(job.directory / RESULTS) as log:
        for rows in in_windows(backend, job.tasks, owed):
            for row in rows:
                if row.id in owed:
                    log.append(row.to_row())
                    done[row.id] = row
            tell(standing(job, done.values()), len(done), total)
            stop.raise_if_asked(
                f"stopped after {len(finished(done))} of {total} items of {job.benchmark.name}; "
                "the same command goes on from there"
            )


def answers(row: EvalRow, task: Task) -> bool:
    """Whether a row answers a task as it is now: question, media and reference answer."""
    return row.gold == task.gold and row.asked in (None, task.asked)


def standing(job: Job, rows: Collection[EvalRow]) -> str:
    """What is going on, with the headline so far."""
    figure = headline(list(rows), job.measure)
    so_far = "" if figure is None else f", {job.measure.name} {100 * figure:.1f} %"
    return f"answering {job.benchmark.name}{so_far}"


def refuse_failures(result: EvalResult, config: EvalConfig) -> None:
    """Raise `TooManyFailures` for the first benchmark that lost more than 1 % of its items."""
    for evaluation in result.evaluations:
        summary = evaluation.summary
        if failed_share(summary) > FAILED_LIMIT and not config.allow_missing:
            counts = ", ".join(f"{summary.status[status]} {status}" for status in FAILED)
            first = next(row.error for row in evaluation.rows if row.status in FAILED)
            raise TooManyFailures(
                f"{summary.benchmark}: {counts} of {summary.n} items, more than 1 %, so this is no "
                f"score; the first: {first}; all are in {evaluation.directory / RESULTS}; "
                "mend them and run again, or --allow-missing"
            )


def _silent(_phrase: str, _done: int, _total: int) -> None:
    """Progress that nobody watches."""
