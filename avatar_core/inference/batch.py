"""A file of questions answered in batches, media decoded ahead; a call cut short is gone on with.

Answers are greedy. What cannot be read or shown becomes a row with its error, and is tried again by
the next call.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from avatar_core.asking import Asker
from avatar_core.config.inference import BatchConfig
from avatar_core.errors import TooManyFailures
from avatar_core.evaluation.answering import LocalModel, in_windows
from avatar_core.evaluation.batching import fitting_batch
from avatar_core.evaluation.scoring import Verdict
from avatar_core.evaluation.selecting import FAILED_LIMIT
from avatar_core.evaluation.tasks import Task
from avatar_core.files import JsonlAppender
from avatar_core.inference.answer_file import (
    AnswerRow,
    answer_row,
    check_out,
    empty,
    held,
    kept,
    read_answers,
    refused_row,
    settings_digest,
    write_answers,
)
from avatar_core.inference.correct import Correct, count_correct
from avatar_core.inference.files import media_settings, model_of
from avatar_core.inference.rows import Question, read_questions
from avatar_core.media import MediaLoader
from avatar_core.models.loading import load_policy
from avatar_core.models.qwen_omni import QwenOmniPolicy
from avatar_core.rewards.answer import split_completion
from avatar_core.run_settings import RunSettings, run_settings
from avatar_core.stop import stop_on_signal

Progress = Callable[[str, int, int], None]
"""Told what is done (one phrase), how many rows are finished, and of how many."""


class BatchResult(NamedTuple):
    """What became of a file of questions."""

    out: Path
    """Where the answers are."""
    rows: tuple[AnswerRow, ...]
    """One per question, in order of the file."""
    resumed: int
    """Those of them that were answered by an earlier call."""
    correct: Correct
    """How many are right, of those whose rows have a solution."""

    @property
    def failed(self) -> int:
        """Questions that could not be asked."""
        return sum(row.error is not None for row in self.rows)


class Plan(NamedTuple):
    """What is asked, of whom, and how."""

    config: BatchConfig
    settings: RunSettings
    """As the model was trained, with what the user overrides."""
    questions: Sequence[Question]
    digest: str
    """Of the settings, as answers name it."""


def answer_file(config: BatchConfig, progress: Progress = lambda *_: None) -> BatchResult:
    """Answer the questions of a file, or go on where an earlier call was cut short.

    Args:
        config: what to ask, of whom, and where the answers go.
        progress: is told how it goes.

    Raises:
        UsageError: an option is not usable, or the model cannot be found.
        DataError: a file cannot be read.
        RunLockedError: another process writes the answers.
        Stopped: after a signal; what was answered is saved.
    """
    check_out(config)
    plan = plan_of(config)
    with held(config.out):
        found = read_answers(config.out, plan.digest) if config.resume else {}
        done = kept(found, plan.questions)
        rows = answer_missing(plan, done, progress)
        ordered = tuple(rows[question.id] for question in plan.questions)
        write_answers(config.out, ordered)
    correct = count_correct(zip(plan.questions, ordered, strict=True))
    return BatchResult(config.out, ordered, len(done), correct)


def refuse_failures(result: BatchResult) -> None:
    """Raise `TooManyFailures` when more than 1 % of the questions could not be asked."""
    if result.failed > FAILED_LIMIT * len(result.rows):
        first = next(row.error for row in result.rows if row.error is not None)
        raise TooManyFailures(
            f"{result.failed} of {len(result.rows)} rows failed, more than 1 %; the first: "
            f"{first}; all are in {result.out}; mend them and run again"
        )


def plan_of(config: BatchConfig) -> Plan:
    """Everything about a file of questions that needs no model."""
    trained = run_settings(model_of(config))
    system = trained.system_prompt if config.system_prompt is None else config.system_prompt
    settings = trained._replace(
        media=media_settings(config, trained.media),
        system_prompt=system,
        max_new_tokens=config.max_new_tokens or trained.max_new_tokens,
    )
    media = settings.media.model_copy(update={"audio": config.audio or settings.media.audio})
    digest = settings_digest(settings.checkpoint, media, system, settings.max_new_tokens)
    return Plan(config, settings._replace(media=media), read_questions(config.file), digest)


def answer_missing(
    plan: Plan, done: Mapping[str, AnswerRow], tell: Progress
) -> dict[str, AnswerRow]:
    """Append the rows of all questions without one, and give all rows by id.

    Earlier rows that are not to be gone on from are lost when the model is there, not before.

    Raises:
        Stopped: a signal came; the rows of finished batches are saved.
    """
    rows = dict(done)
    unreadable = [question for question in plan.questions if question.error is not None]
    tasks = {question.id: task_of(question) for question in plan.questions if not question.error}
    owed = tasks.keys() - rows.keys()
    with stop_on_signal() as stop, JsonlAppender(plan.config.out) as log:

        def keep(found: Sequence[AnswerRow]) -> None:
            for row in found:
                log.append(row.to_row())
                rows[row.id] = row
            tell("answering", len(rows), len(plan.questions))
            answered = sum(row.error is None for row in rows.values())
            stop.raise_if_asked(
                f"stopped after {answered} of {len(plan.questions)} questions; "
                "the same command goes on from there"
            )

        policy = loaded(plan.settings.checkpoint, tell) if owed else None
        if not plan.config.resume:
            empty(plan.config.out)
        keep([refused_row(question, plan.digest) for question in unreadable])
        if policy is not None:
            ask_owed(plan, policy, list(tasks.values()), owed, keep, tell)
    return rows


def loaded(checkpoint: str, tell: Progress) -> QwenOmniPolicy:
    """The model of a checkpoint; that it is loaded is told first."""
    tell(f"loading {checkpoint}", 0, 0)
    return load_policy(checkpoint)


def ask_owed(
    plan: Plan,
    policy: QwenOmniPolicy,
    tasks: Sequence[Task],
    owed: Collection[str],
    keep: Callable[[Sequence[AnswerRow]], None],
    tell: Progress,
) -> None:
    """Answer the tasks owed; `keep` gets their rows batch after batch."""
    settings = plan.settings
    questions = {question.id: question for question in plan.questions}
    limit = settings.max_new_tokens
    with MediaLoader(settings.media) as loader:
        asker = Asker(policy, loader, system_prompt=settings.system_prompt)
        size = plan.config.batch_size or fitting_batch(policy, asker, tasks, max_new_tokens=limit)
        model = LocalModel(policy, asker, max_new_tokens=limit, batch_size=size)
        for rows in in_windows(model, tasks, owed):
            found = [row for row in rows if row.id in owed]
            keep([answer_row(questions[row.id], row, plan.digest) for row in found])


def task_of(question: Question) -> Task:
    """A question as it is put to a model; there is nothing to score it by."""
    return Task(question.id, (*question.media, question.text), "", {}, (), "", stated)


def stated(text: str, _truncated: bool) -> Verdict:
    """What a reply states, without a score."""
    parts = split_completion(text)
    return Verdict(parts.answer or None, None, flagged=not parts.closed)
