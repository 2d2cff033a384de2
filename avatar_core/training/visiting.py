"""A step begins: its prompts are those of the course, less the visits that are passed over."""

from __future__ import annotations

from avatar_core.config.train import TrainConfig
from avatar_core.phases import Stopwatch
from avatar_core.training.rows import StepRecord
from avatar_core.training.skipping import Walk, walk_of_step
from avatar_core.training.step import NOT_TAKEN, learning_rate
from avatar_core.training.trainee import Look, Trainee
from avatar_core.types import Sample


def begin_step(trainee: Trainee, config: TrainConfig, step: int) -> list[Sample]:
    """The samples that a step visits, which begins now; visits passed over are counted."""
    found = _walk(trainee, config, step)
    trainee.state.counters.visits_skipped += found.skipped
    return trainee.samples_at(found.prompts)


def look_ahead(trainee: Trainee, config: TrainConfig, step: int) -> None:
    """Begin to look at the prompts of the next step, unless the run ends before.

    Rewards of the present step may yet change which they are. Then what was begun is of no use, and
    the step looks at its own.
    """
    if step <= config.steps:
        trainee.look_ahead(trainee.samples_at(_walk(trainee, config, step).prompts))


def new_record(
    trainee: Trainee, config: TrainConfig, step: int, look: Look, watch: Stopwatch
) -> StepRecord:
    """What is known of a step once its prompts have been looked at."""
    state = trainee.state
    return StepRecord(
        step=step,
        stage=config.stage,
        epoch=trainee.course.epochs(step, state.counters.visits_skipped),
        look=look,
        outcome=NOT_TAKEN,
        lr=learning_rate(step, config.steps, config.optim),
        seconds=watch.seconds,
        samples=trainee.samples,
        hints_refused=state.hints.refused,
    )


def _walk(trainee: Trainee, config: TrainConfig, step: int) -> Walk:
    state = trainee.state
    return walk_of_step(
        trainee.course,
        state.runs,
        list(trainee.samples),
        config,
        step=step,
        skipped=state.counters.visits_skipped,
    )
