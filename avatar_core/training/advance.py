"""Taking the steps of a run: each is recorded, some are saved, and so is the last before an end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from avatar_core.config.train import TrainConfig
from avatar_core.errors import AvatarError, DataError, NonFiniteError, ServiceError, Stopped
from avatar_core.files import JsonlAppender
from avatar_core.rewards.judging.judge import CountingJudge
from avatar_core.run_directory import GROUPS, METRICS
from avatar_core.stop import stop_on_signal
from avatar_core.training.checkpoint import progress_of, rewind, save_checkpoint
from avatar_core.training.judging import take_counts
from avatar_core.training.loop import reinforce
from avatar_core.training.rows import StepRecord, group_rows, metrics_row
from avatar_core.training.sft import supervise
from avatar_core.training.trainee import Trainee
from avatar_core.training.watcher import Watcher


class Saver:
    """Saves a run's checkpoints and remembers which are sound.

    Attributes:
        step: the last finished step.
    """

    def __init__(self, run: Path, trainee: Trainee, keep: int, done: int) -> None:
        self.step = done
        self._run, self._trainee, self._keep = run, trainee, keep
        self._saved, self._sound = done, list[Path]()
        self._progress = progress_of(trainee.state)

    def finished(self, step: int) -> None:
        """Remember that a step has been finished."""
        self.step, self._progress = step, progress_of(self._trainee.state)

    def save(self) -> None:
        """Save the run as it is after the last finished step, unless that has been done.

        Of several processes, which are all alike, the first saves.
        """
        if self.step == self._saved or not self._trainee.world.leads:
            return
        rewind(self._trainee.state, self._progress)
        self._sound = save_checkpoint(
            self._run,
            self.step,
            self._trainee.policy,
            self._trainee.state,
            keep=self._keep,
            trusted=self._sound,
        )
        self._saved = self.step


class Missed(NamedTuple):
    """Consecutive steps that were not taken, the last ones of a run."""

    steps: int = 0
    """How many."""
    broken: int = 0
    """In how many of them loss or gradient was not finite; in the others no prompt was read."""
    samples: str = ""
    """Names of the samples of the last broken one."""

    def and_then(self, record: StepRecord) -> Missed:
        """The same after another step."""
        if record.outcome.taken:
            return Missed()
        if not record.diagnostics:
            return self._replace(steps=self.steps + 1)
        names = ", ".join(visit.sample.id for visit in record.look.visits)
        return Missed(self.steps + 1, self.broken + 1, names)


def advance(run: Path, config: TrainConfig, trainee: Trainee, done: int, watcher: Watcher) -> None:
    """Take the remaining steps, recording each and saving as configured or before an end.

    Raises:
        Stopped: a signal came.
        NonFiniteError: `optim.max_skipped` consecutive steps were not taken, and the loss or the
            gradient of one of them was not finite.
        DataError: no prompt of as many consecutive steps could be read.
        ServiceError: the judge could not be asked; the unfinished step is taken again on resume.
    """
    saver = Saver(run, trainee, config.checkpoint.keep, done)
    world = trainee.world
    missed = Missed()
    with stop_on_signal() as stop, ExitStack() as stack:
        groups, metrics = (
            stack.enter_context(JsonlAppender(run / name)) if world.leads else None
            for name in (GROUPS, METRICS)
        )
        for record in steps_of(trainee, config, saver):
            row = metrics_row(record, trainee.state.counters)
            if groups is not None and metrics is not None:
                for group in group_rows(record):
                    groups.append(group.to_row())
                metrics.append(row.to_row())
            saver.finished(record.step)
            watcher.step(row, config.steps)
            missed = missed.and_then(record)
            lost = missed.steps >= config.optim.max_skipped
            # A signal to one process stops all of them after the same step.
            asked = next(filter(None, world.gather([stop.signal])), None)
            due = record.step == config.steps or record.step % config.checkpoint.every == 0
            if due or lost or asked is not None:
                saver.save()
                # None ends before the run is saved: a launcher would then end all.
                world.wait()
            if lost:
                raise too_many_missed(record, missed)
            if asked is not None:
                raise Stopped(
                    asked, f"stopped after step {record.step}; the same command continues"
                )


def steps_of(trainee: Trainee, config: TrainConfig, saver: Saver) -> Iterator[StepRecord]:
    """The records of the steps to take, with the judge's counts among the run's totals.

    When the judge fails in the middle of a step, the step before it is saved.
    """
    judge = trainee.judge if isinstance(trainee.judge, CountingJudge) else None
    take = supervise if config.stage == 0 else reinforce
    try:
        for record in take(trainee, config, done=saver.step):
            if judge is not None:
                take_counts(judge, trainee.state.counters, trainee.world)
            yield record
    except ServiceError:
        saver.save()
        raise


def too_many_missed(record: StepRecord, missed: Missed) -> AvatarError:
    """The error that ends a run whose steps cannot be taken any more, after the last of them."""
    if not missed.broken:
        return DataError(
            f"step {record.step}: no prompt of {missed.steps} consecutive steps could be read; "
            f"the last: {record.look.failures[-1]}"
        )
    return NonFiniteError(
        f"step {record.step}: loss or gradient was not finite in {missed.broken} of {missed.steps} "
        f"consecutive steps (last samples {missed.samples}); lower optim.lr or look at the samples"
    )
