"""Evaluations: check every input, answer what is not answered yet, write rows and summary.

Nothing is written before names, settings, result directories, samples and model have been checked.
Rows are appended as batches finish. A batch is always answered whole, so that the numbers behind an
answer do not depend on where an earlier run was cut short.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import NamedTuple

import torch

from avatar_core.asking import Asker
from avatar_core.config.evaluate import EvalConfig
from avatar_core.errors import TooManyFailures, UsageError
from avatar_core.evaluation import catalogue
from avatar_core.evaluation.answering import answer_batches, batches_of
from avatar_core.evaluation.directory import (
    CONFIG,
    MANIFEST,
    check_directory,
    check_weights,
    read_manifest,
    result_directory,
)
from avatar_core.evaluation.ledger import NAME, finished, read_rows, write_rows
from avatar_core.evaluation.tally import FAILED, failed_share, summarise
from avatar_core.files import JsonlAppender, run_lock, write_json
from avatar_core.media import MediaLoader
from avatar_core.models.loading import load_policy
from avatar_core.models.qwen_omni import QwenOmniPolicy
from avatar_core.records import EvalRow, EvalSummary, Manifest
from avatar_core.run_settings import RunSettings, run_settings
from avatar_core.stop import stop_on_signal
from avatar_core.training.identity import fingerprint, library_versions
from avatar_core.types import Sample
from avatar_core.version import VERSION

SUMMARY = "summary.json"
FAILED_LIMIT = 0.01
"""A score over more failed items than this share is not a score."""

Progress = Callable[[str, int, int], None]
"""Told what is done (one phrase), how many items are finished, and of how many."""


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


class Job(NamedTuple):
    """One benchmark that can be answered."""

    name: str
    """Of the benchmark."""
    directory: Path
    """Where its results go."""
    config: EvalConfig
    """Resolved, with this benchmark as the only name."""
    samples: Sequence[Sample]
    """What is asked."""


def evaluate(config: EvalConfig, *, progress: Progress | None = None) -> EvalResult:
    """Score a model on benchmarks, or go on where an earlier call was cut short.

    Args:
        config: what to ask, of whom, and where the answers go.
        progress: is told how it goes; called often.

    Raises:
        UsageError: an input is not usable; nothing has been written.
        TooManyFailures: more than 1 % of the items of a benchmark could not be asked, unless
            `config.allow_missing`; its files are complete.
        Stopped: after a signal; what was answered is saved.
    """
    result = measure(config, progress=progress)
    refuse_failures(result, config)
    return result


def measure(config: EvalConfig, *, progress: Progress | None = None) -> EvalResult:
    """As `evaluate`, but whatever share of the items failed."""
    tell = progress or _silent
    settings = run_settings(config.model)
    for name in config.names:
        catalogue.find(name)
        if config.names.count(name) > 1:
            raise UsageError(f"benchmark {name!r} is named twice; name it once")
        check_directory(result_directory(config, name), resolved(config, name, settings))
    jobs = []
    for name in config.names:
        tell(f"preparing {name}", 0, 0)
        jobs.append(
            Job(
                name,
                result_directory(config, name),
                resolved(config, name, settings),
                load_samples(config, name),
            )
        )
    tell(f"loading {config.model}", 0, 0)
    policy = load_policy(settings.checkpoint)
    return EvalResult(tuple(measure_job(job, policy, tell) for job in jobs))


def resolved(config: EvalConfig, name: str, settings: RunSettings) -> EvalConfig:
    """The configuration of one benchmark, every `None` filled from how the model was trained."""
    given = config.model_dump(include={"media", "audio", "system_prompt", "max_new_tokens"})
    media = config.media or settings.media
    default = {
        "media": media,
        "audio": media.audio,
        "system_prompt": settings.system_prompt,
        "max_new_tokens": settings.max_new_tokens,
    }
    missing = {key: value for key, value in default.items() if given[key] is None}
    return config.model_copy(update={"names": (name,), **missing})


def load_samples(config: EvalConfig, name: str) -> list[Sample]:
    """Samples of one benchmark.

    Raises:
        UsageError: two of them have the same id, or there are none.
    """
    samples = catalogue.load(
        name,
        config.data_root,
        split=config.split,
        limit=config.limit,
        sample_seed=config.sample_seed,
        stage=config.stage,
    )
    if not samples or len({sample.id for sample in samples}) < len(samples):
        raise UsageError(f"{name}: has no items, or two with the same id; check its files")
    return samples


def measure_job(job: Job, policy: QwenOmniPolicy, tell: Progress) -> Evaluation:
    """Answer one benchmark under the lock of its result directory, and write its files."""
    config, directory = job.config, job.directory
    weights = fingerprint(policy.model)
    if config.resume:
        check_weights(directory, weights)
    clusters = {s.id: "|".join(ref.path for ref in s.media) or s.id for s in job.samples}
    with run_lock(directory):
        manifest = begin(directory, config, policy, weights)
        answer_missing(job, policy, tell)
        recorded = read_rows(directory)
        rows = [recorded[sample.id] for sample in job.samples]
        write_rows(directory, rows)
        summary = summarise(rows, clusters, benchmark=job.name, manifest=manifest)
        write_json(directory / SUMMARY, summary.to_row())
    return Evaluation(directory, summary, tuple(rows), clusters)


def begin(directory: Path, config: EvalConfig, policy: QwenOmniPolicy, weights: str) -> Manifest:
    """The manifest of the evaluation in a directory: of the one to go on with, or of a new one."""
    stored = read_manifest(directory) if config.resume else None
    if stored is not None:
        return stored
    manifest = Manifest(
        versions={"avatar": VERSION, "python": platform.python_version(), **library_versions()},
        seed=config.sample_seed or 0,
        media={} if config.media is None else config.media.model_dump(mode="json"),
        model=config.model,
        model_fingerprint=weights,
        command=tuple(sys.argv),
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        device=str(policy.device),
        threads=torch.get_num_threads(),
    )
    # The configuration comes last: a directory that has one has all that makes it an evaluation.
    for name in (CONFIG, SUMMARY, NAME):
        (directory / name).unlink(missing_ok=True)
    write_json(directory / MANIFEST, manifest.to_row())
    write_json(directory / CONFIG, config.model_dump(mode="json"))
    return manifest


def answer_missing(job: Job, policy: QwenOmniPolicy, tell: Progress) -> None:
    """Append the rows of all items that have none yet, or one that is tried again.

    Raises:
        Stopped: a signal came; the rows of finished batches are saved.
    """
    config = job.config
    done = set(finished(read_rows(job.directory)))
    batches = batches_of(job.samples, config.batch_size)
    owed = [batch for batch in batches if any(sample.id not in done for sample in batch)]
    total = len(job.samples)
    tell(f"answering {job.name}", len(done), total)
    if not owed or config.media is None or config.max_new_tokens is None:
        return
    with (
        stop_on_signal() as stop,
        MediaLoader(config.media) as loader,
        JsonlAppender(job.directory / NAME) as log,
    ):
        asker = Asker(
            policy,
            loader,
            system_prompt=config.system_prompt,
            audio=config.audio,
            blanked=frozenset(config.blank),
        )
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
