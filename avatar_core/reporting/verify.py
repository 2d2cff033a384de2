"""Whether everything that a run has written is sound; nothing is changed.

A run that still goes on, or was killed, ends in a torn line or in groups of a step without its
metrics row. Resuming drops both, so they are noted and are no problem.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from avatar_core.config.resolve import validate
from avatar_core.config.train import TrainConfig
from avatar_core.errors import AvatarError, CheckpointError, DataError, UsageError
from avatar_core.evaluation_records import EvalRow
from avatar_core.files import read_json
from avatar_core.manifest import saved_checkpoints, verify_manifest
from avatar_core.records import GroupRow, Manifest, MetricsRow, read_record
from avatar_core.reporting.logs import Log, Problem, read_log
from avatar_core.reporting.run_list import check_run_path
from avatar_core.run_directory import (
    CONFIG,
    GROUPS,
    HELD_OUT,
    MANIFEST,
    METRICS,
    REPLAY,
    SUMMARY,
)

ANSWERS = (f"{HELD_OUT}/before.jsonl", f"{HELD_OUT}/after.jsonl")
"""Rows of the held-out samples."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a look at every record of a run found.

    Attributes:
        path: the run directory.
        steps: sound metrics rows.
        groups: sound group rows.
        completions: completions in these.
        checkpoints: checkpoints found.
        stores: replay stores found in them.
        problems: everything that is not sound.
        notes: what an interrupted run leaves, which does no harm.
    """

    path: Path
    steps: int
    groups: int
    completions: int
    checkpoints: int
    stores: int
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """Whether there is no problem."""
        return not self.problems


def verify_run(run: Path, load_store: Callable[[Path], object]) -> Verdict:
    """Check configuration, every row, counts and checkpoints of a run.

    Args:
        run: run directory; may be that of a running or killed run.
        load_store: loads a replay store; raises `CheckpointError` when it is not sound.

    Raises:
        UsageError: there is no run in the directory, or it cannot be searched.
        DataError: a log cannot be read at all.
    """
    check_run_path(run)
    if not run.is_dir() or not any((run / name).is_file() for name in (CONFIG, METRICS, GROUPS)):
        raise UsageError(f"{run}: no run is here; give the --out directory of a training run")
    if (run / SUMMARY).is_file():
        raise UsageError(f"{run}: holds an evaluation; give the --out of a training run")
    # The metrics row of a step follows its groups, so of a running run it must be read first.
    metrics = read_log(MetricsRow, run, METRICS)
    groups = read_log(GroupRow, run, GROUPS)
    logs: list[Log[Any]] = [metrics, groups, *(read_log(EvalRow, run, name) for name in ANSWERS)]
    checkpoints = saved_checkpoints(run)
    problems = [
        *_documents(run),
        *(problem for log in logs for problem in log.problems),
        *_order(metrics, groups),
        *_counts(metrics, groups),
        *_reach(metrics, max(checkpoints, default=0)),
        *(p for path in checkpoints.values() for p in _checkpoint(run, path, load_store)),
    ]
    return Verdict(
        path=run,
        steps=len(metrics.rows),
        groups=len(groups.rows),
        completions=sum(len(row.completions) for row in groups.rows),
        checkpoints=len(checkpoints),
        stores=sum((path / REPLAY).is_dir() for path in checkpoints.values()),
        problems=tuple(problems),
        notes=tuple(_notes(metrics, groups, logs)),
    )


def _documents(run: Path) -> Iterator[Problem]:
    """Whether configuration and manifest are there and readable."""
    for name, read in _READERS.items():
        if not (run / name).is_file():
            yield Problem(name, None, "missing")
            continue
        try:
            document = read_json(run / name)
            if not isinstance(document, dict):
                raise DataError("not a JSON object")
            read(document)
        except UsageError as error:
            yield _placed(run, name, error)


def _placed(run: Path, name: str, error: AvatarError) -> Problem:
    """An error as a problem of the file that its text begins with, else of the one named."""
    head, _, reason = str(error).partition(": ")
    if Path(head).is_relative_to(run):
        return Problem(str(Path(head).relative_to(run)), None, reason)
    return Problem(name, None, str(error))


def _read_config(document: dict[str, Any]) -> None:
    validate(TrainConfig, document)


def _read_manifest(document: dict[str, Any]) -> None:
    read_record(Manifest, document, "record")


_READERS: Mapping[str, Callable[[dict[str, Any]], None]] = {
    CONFIG: _read_config,
    MANIFEST: _read_manifest,
}


def _order(metrics: Log[MetricsRow], groups: Log[GroupRow]) -> Iterator[Problem]:
    """Steps of metrics rise, steps of groups do not fall, and no policy is of a later step."""
    last = 0
    for line, row in zip(metrics.lines, metrics.rows, strict=True):
        if row.step <= last:
            yield Problem(METRICS, line, f"step {row.step} does not follow step {last}")
        last = row.step
    last = 0
    for line, group in zip(groups.lines, groups.rows, strict=True):
        if group.step < last:
            yield Problem(GROUPS, line, f"step {group.step} follows step {last}")
        if group.policy_step > group.step:
            problem = f"step {group.step} uses a policy of the later step {group.policy_step}"
            yield Problem(GROUPS, line, problem)
        last = group.step


def _counts(metrics: Log[MetricsRow], groups: Log[GroupRow]) -> Iterator[Problem]:
    """Counters rise from row to row by what the groups in between hold.

    Without a look at rises instead of totals, one lost group would be reported at every later step.
    """
    if groups.problems:
        return
    by_step: dict[int, list[GroupRow]] = {}
    for group in groups.rows:
        by_step.setdefault(group.step, []).append(group)
    before: MetricsRow | None = None
    for line, row in zip(metrics.lines, metrics.rows, strict=True):
        start = before.step if before else 0
        found = [
            group for step in range(start + 1, row.step + 1) for group in by_step.get(step, ())
        ]
        for name, count in _counted(found).items():
            rise = getattr(row, name) - (getattr(before, name) if before else 0)
            if rise != count:
                problem = f"{name} rises by {rise} in step {row.step}, its groups hold {count}"
                yield Problem(METRICS, line, problem)
        before = row


def _counted(groups: Sequence[GroupRow]) -> dict[str, int]:
    """What some groups add to the counters of the metrics."""
    fresh = [group for group in groups if group.source == "fresh"]
    generated = [completion for group in fresh for completion in group.completions]
    replayed = [c for group in groups if group.source == "replayed" for c in group.completions]
    return {
        "groups": len(fresh),
        "groups_no_signal": sum(group.no_signal for group in fresh),
        "hints_used": sum(group.hinted for group in fresh),
        "completions_generated": len(generated),
        "completions_replayed": sum(c.advantage is not None for c in replayed),
        "completions_trained": sum(c.advantage is not None for c in (*generated, *replayed)),
        "tokens_generated": sum(completion.tokens for completion in generated),
        "unscored": sum(completion.reward is None for completion in generated),
    }


def _reach(metrics: Log[MetricsRow], newest: int) -> Iterator[Problem]:
    """The metrics reach as far as the newest checkpoint."""
    last = metrics.rows[-1].step if metrics.rows else 0
    if last < newest:
        yield Problem(METRICS, None, f"ends at step {last}, but a checkpoint is of step {newest}")


def _checkpoint(run: Path, path: Path, load_store: Callable[[Path], object]) -> Iterator[Problem]:
    """Files of a checkpoint match its manifest, and its replay store can be loaded."""
    try:
        verify_manifest(path)
        if (path / REPLAY).is_dir():
            load_store(path / REPLAY)
    except CheckpointError as error:
        yield _placed(run, str(path.relative_to(run)), error)


def _notes(
    metrics: Log[MetricsRow], groups: Log[GroupRow], logs: Sequence[Log[Any]]
) -> Iterator[str]:
    for log in logs:
        if log.torn:
            yield f"{log.name} ends in a torn line, as a running or killed run leaves it"
    last = metrics.rows[-1].step if metrics.rows else 0
    begun = sorted({group.step for group in groups.rows if group.step > last})
    if begun:
        steps = " to ".join(str(step) for step in dict.fromkeys((begun[0], begun[-1])))
        yield f"{GROUPS} goes on to step {steps}, which has no row in {METRICS} yet"
