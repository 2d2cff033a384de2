"""Evaluations: check every input, answer what is not answered yet, write rows and summary.

Nothing is written before names, settings, result directories, samples and model have been checked.
Rows are appended as batches finish. A batch is always answered whole, so that the numbers behind an
answer do not depend on where an earlier run was cut short.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from avatar_core.asking import Asker
from avatar_core.config.evaluate import EvalConfig
from avatar_core.config.media import MediaConfig
from avatar_core.config.resolve import validate
from avatar_core.errors import TooManyFailures
from avatar_core.evaluation.answering import answer_batches, batches_of
from avatar_core.evaluation.batching import fitting_batch
from avatar_core.evaluation.compare import Gain, check_items, gain_over, read_baseline
from avatar_core.evaluation.directory import check_weights, read_manifest
from avatar_core.evaluation.jobs import Job, Progress, check_request, make_job
from avatar_core.evaluation.ledger import NAME, finished, read_rows, write_rows
from avatar_core.evaluation.tally import FAILED, clusters_of, failed_share, summarise
from avatar_core.files import JsonlAppender, read_json, run_lock, write_json
from avatar_core.media import MediaLoader
from avatar_core.models.loading import load_policy
from avatar_core.models.qwen_omni import QwenOmniPolicy
from avatar_core.provenance import new_manifest
from avatar_core.records import EvalRow, EvalSummary, Manifest
from avatar_core.run_directory import CONFIG, MANIFEST
from avatar_core.run_settings import run_settings
from avatar_core.stop import stop_on_signal

SUMMARY = "summary.json"
FAILED_LIMIT = 0.01
"""A score over more failed items than this share is not a score."""


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
        Stopped: after a signal; what was answered is saved.
    """
    result = measure(config, baseline=baseline, progress=progress)
    refuse_failures(result, config)
    return result


def measure(
    config: EvalConfig, *, baseline: Path | None = None, progress: Progress | None = None
) -> EvalResult:
    """As `evaluate`, but whatever share of the items failed."""
    tell = progress or _silent
    settings = run_settings(config.model)
    check_request(config, settings)
    earlier = None if baseline is None else read_baseline(baseline, config.names)
    jobs = []
    for name in config.names:
        tell(f"preparing {name}", 0, 0)
        jobs.append(make_job(config, name, settings))
    if earlier is not None:
        check_items(earlier, [sample.id for sample in jobs[0].samples])
    tell(f"loading {config.model}", 0, 0)
    policy = load_policy(settings.checkpoint)
    done = tuple(measure_job(job, policy, tell) for job in jobs)
    gain = None if earlier is None else gain_over(earlier, done[0].rows, done[0].clusters)
    return EvalResult(done, gain)


def measure_job(job: Job, policy: QwenOmniPolicy, tell: Progress) -> Evaluation:
    """Answer one benchmark under the lock of its result directory, and write its files."""
    config, directory = job.config, job.directory
    media = config.media or MediaConfig()
    seed = config.sample_seed or 0
    manifest = new_manifest(config.model, policy.model, seed=seed, media=media)
    if config.resume:
        check_weights(directory, manifest.model_fingerprint)
    clusters = clusters_of(job.samples)
    with run_lock(directory), MediaLoader(media) as loader:
        asker = Asker(
            policy,
            loader,
            system_prompt=config.system_prompt,
            audio=config.audio,
            blanked=frozenset(config.blank),
        )
        job = sized(job, policy, asker)
        manifest = begin(job, manifest)
        answer_missing(job, policy, asker, tell)
        recorded = read_rows(directory)
        rows = [recorded[sample.id] for sample in job.samples]
        write_rows(directory, rows)
        summary = summarise(rows, clusters, benchmark=job.name, manifest=manifest)
        write_json(directory / SUMMARY, summary.to_row())
    return Evaluation(directory, summary, tuple(rows), clusters)


def sized(job: Job, policy: QwenOmniPolicy, asker: Asker) -> Job:
    """The job with a batch size: as asked, else that of the evaluation to go on with, else fitting.

    A choice by free memory is made once, so that the batches do not depend on the moment.
    """
    config, stored = job.config, job.directory / CONFIG
    size = config.batch_size
    if size is None and config.resume and stored.is_file():
        size = validate(EvalConfig, read_json(stored)).batch_size
    if size is None:
        limit = config.max_new_tokens or 1
        size = fitting_batch(policy, asker, job.samples, max_new_tokens=limit)
    return job._replace(config=config.model_copy(update={"batch_size": size}))


def begin(job: Job, manifest: Manifest) -> Manifest:
    """The manifest of the evaluation to go on with, as it first began, else this new one."""
    stored = read_manifest(job.directory) if job.config.resume else None
    if stored is not None:
        return stored
    # The configuration comes last: a directory that has one has all that makes it an evaluation.
    for name in (CONFIG, SUMMARY, NAME):
        (job.directory / name).unlink(missing_ok=True)
    write_json(job.directory / MANIFEST, manifest.to_row())
    write_json(job.directory / CONFIG, job.config.model_dump(mode="json"))
    return manifest


def answer_missing(job: Job, policy: QwenOmniPolicy, asker: Asker, tell: Progress) -> None:
    """Append the rows of all items that have none yet, or one that is tried again.

    Raises:
        Stopped: a signal came; the rows of finished batches are saved.
    """
    config = job.config
    done = set(finished(read_rows(job.directory)))
    batches = batches_of(job.samples, config.batch_size or 1)
    owed = [batch for batch in batches if any(sample.id not in done for sample in batch)]
    total = len(job.samples)
    tell(f"answering {job.name}", len(done), total)
    if not owed or config.max_new_tokens is None:
        return
    with stop_on_signal() as stop, JsonlAppender(job.directory / NAME) as log:
        for rows in answer_batches(policy, asker, owed, max_new_tokens=config.max_new_tokens):
            for row in rows:
                if row.id not in done:
                    log.append(row.to_row())
            done.update(row.id for row in rows)
            tell(f"answering {job.name}", len(done), total)
            stop.raise_if_asked(
                f"stopped after {len(done)} of {total} items of {job.name}; "
                "the same command goes on from there"
            )


def refuse_failures(result: EvalResult, config: EvalConfig) -> None:
    """Raise `TooManyFailures` for the first benchmark that lost more than 1 % of its items."""
    for evaluation in result.evaluations:
        summary = evaluation.summary
        if failed_share(summary) > FAILED_LIMIT and not config.allow_missing:
            counts = ", ".join(f"{summary.status[status]} {status}" for status in FAILED)
            raise TooManyFailures(
                f"{summary.benchmark}: {counts} of {summary.n} items, more than 1 %; see "
                f"{evaluation.directory / NAME}, mend the media and run again, or --allow-missing"
            )


def _silent(_phrase: str, _done: int, _total: int) -> None:
    """Progress that nobody watches."""
