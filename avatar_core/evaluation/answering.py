"""Greedy answers of a model in this process, batched, one record per task whatever happens to it.

Tasks are taken up in windows of a few batches: all prompts of a window are prepared, sorted by
length, and cut into batches, so that rows of one batch are padded little. A window depends on the
order of the tasks alone, and so do its batches: an evaluation that was cut short answers what it
owes in the same batches as one that was not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

import torch

from avatar_core.asking import Asker, Seen, frame_count, modalities
from avatar_core.errors import AvatarError, OutOfMemoryError, is_out_of_memory
from avatar_core.evaluation.tasks import Task, media_of, sample_tasks
from avatar_core.evaluation.timing import each, timed_row
from avatar_core.evaluation_records import EvalRow
from avatar_core.models.policy import Policy, Prepared, Sampling
from avatar_core.phases import Stopwatch
from avatar_core.types import Clip, Sample

T = TypeVar("T")
WINDOW = 4
"""Batches whose prompts are prepared together."""


class Reply(NamedTuple):
    """What the model wrote for one task."""

    text: str
    """The completion without special tokens."""
    truncated: bool
    """Generation stopped at the length limit."""
    tokens: int | None = None
    """Length in tokens; `None` where a server counts them."""


class Backend(Protocol):
    """Answers the tasks of one benchmark, window after window."""

    @property
    def window(self) -> int:
        """Tasks that `answer` takes at a time."""
        ...

    def prefetch(self, tasks: Sequence[Task]) -> None:
        """Start decoding the media of tasks that will be asked soon."""
        ...

    def answer(self, tasks: Sequence[Task], owed: Collection[str]) -> Iterator[list[EvalRow]]:
        """Rows of one window as they are finished, at least those of the tasks owed."""
        ...


class LocalModel:
    """Answers tasks with a policy of this process."""

    def __init__(
        self, policy: Policy, asker: Asker, *, max_new_tokens: int, batch_size: int
    ) -> None:
        """Answer with at most `max_new_tokens` tokens, `batch_size` tasks at a time."""
        self._policy = policy
        self._asker = asker
        self._sampling = Sampling(max_new_tokens=max_new_tokens, temperature=0.0)
        self._batch_size = batch_size
        self.window = WINDOW * batch_size
        """Tasks that `answer` takes at a time."""

    def prefetch(self, tasks: Sequence[Task]) -> None:
        """Start decoding the media of tasks that will be asked soon."""
        self._asker.prefetch([task.content for task in tasks if not task.missing])

    def answer(self, tasks: Sequence[Task], owed: Collection[str]) -> Iterator[list[EvalRow]]:
        """Rows of one window, batch after batch; batches without an owed task are left out."""
        asked = [task for task in tasks if not task.missing]
        failed = [failed_row(task) for task in tasks if task.missing]
        if not any(task.id in owed for task in asked):
            yield failed
            return
        watch = Stopwatch()
        with watch.phase("media"):
            turns = self._asker.look([task.content for task in asked])
        looked = each(watch.seconds, len(asked))
        failed += [
            failed_row(task, seen)
            for task, seen in zip(asked, turns, strict=True)
            if not isinstance(seen, Seen)
        ]
        yield failed
        ready = [
            (task, seen) for task, seen in zip(asked, turns, strict=True) if isinstance(seen, Seen)
        ]
        ready.sort(key=lambda pair: len(pair[1].prepared.input_ids))
        for batch in batches_of(ready, self._batch_size):
            if any(task.id in owed for task, _ in batch):
                yield self._rows(batch, looked)

    def _rows(
        self, batch: Sequence[tuple[Task, Seen]], looked: Mapping[str, float]
    ) -> list[EvalRow]:
        """Rows of one batch; `looked` is the time that each of its prompts has taken so far."""
        watch = Stopwatch()
        prompts = [seen.prepared for _, seen in batch]
        with watch.phase("answer"):
            replies = reply(self._policy, prompts, self._sampling)
        with watch.phase("score"):
            rows = [
                answered_row(task, seen.clips, replied, None)
                for (task, seen), replied in zip(batch, replies, strict=True)
            ]
        seconds = {**looked, **each(watch.seconds, len(batch))}
        return [
            timed_row(row, seconds, prompt=len(prompt.input_ids), reply=replied.tokens)
            for row, prompt, replied in zip(rows, prompts, replies, strict=True)
        ]


def answer_samples(
    policy: Policy,
    asker: Asker,
    samples: Sequence[Sample],
    *,
    max_new_tokens: int,
    batch_size: int,
) -> list[EvalRow]:
    """Greedy answers to training samples, scored as in training, in their order.

    Args:
        policy: the model.
        asker: makes its prompts.
        samples: questions with reference answers.
        max_new_tokens: length limit of an answer.
        batch_size: samples answered together.
    """
    model = LocalModel(policy, asker, max_new_tokens=max_new_tokens, batch_size=batch_size)
    tasks = sample_tasks(samples)
    answered = in_windows(model, tasks, {task.id for task in tasks})
    rows = {row.id: row for batch in answered for row in batch}
    return [rows[sample.id] for sample in samples]


def in_windows(
    model: Backend, tasks: Sequence[Task], owed: Collection[str]
) -> Iterator[list[EvalRow]]:
    """Rows of the windows that hold a task owed; media of the next one are decoded meanwhile.

    Where a window begins depends on all tasks, never on which of them are owed.
    """
    windows = batches_of(tasks, model.window)
    owing = [window for window in windows if any(task.id in owed for task in window)]
    for number, window in enumerate(owing):
        for following in owing[number + 1 : number + 2]:
            # Media are decoded in the order in which they are wanted.
            model.prefetch(window)
            model.prefetch(following)
        yield from model.answer(window, owed)


def batches_of(tasks: Sequence[T], size: int) -> list[Sequence[T]]:
    """Cut a sequence into parts of `size`, the last one may be smaller."""
    return [tasks[first : first + size] for first in range(0, len(tasks), size)]


def reply(policy: Policy, prompts: Sequence[Prepared], sampling: Sampling) -> list[Reply]:
    """One completion of each prompt; prompts that do not fit into memory are answered in halves.

    Raises:
        OutOfMemoryError: a single prompt does not fit.
    """
    try:
        return _replies(policy, prompts, sampling) if prompts else []
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
    # Outside the handler, whose error holds on to the tensors of the failed attempt.
    if len(prompts) == 1:
        raise OutOfMemoryError(
            f"a prompt of {len(prompts[0].input_ids)} tokens does not fit into memory by itself; "
            "lower --max-new-tokens, or the frames and pixels that media are read with"
        )
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    middle = len(prompts) // 2
    return [
        one
        for half in (prompts[:middle], prompts[middle:])
        for one in reply(policy, half, sampling)
    ]


@torch.no_grad()
def _replies(policy: Policy, prompts: Sequence[Prepared], sampling: Sampling) -> list[Reply]:
    """One completion of each prompt, all drawn together."""
    groups = policy.generate(policy.encode(prompts), sampling, [[0]] * len(prompts))
    return [
        Reply(policy.decode(drawn.token_ids), drawn.truncated, len(drawn.token_ids))
        for (drawn,) in groups
    ]


def answered_row(
    task: Task, clips: Sequence[Clip], replied: Reply, seconds: float | None
) -> EvalRow:
    """The record of an answered task, with what the model was given and how long it took."""
    return scored_row(task, replied.text, truncated=replied.truncated).model_copy(
        update={
            "modalities": modalities(clips),
            "frames": frame_count(clips),
            "seconds": seconds,
        }
    )


def scored_row(task: Task, text: str, *, truncated: bool) -> EvalRow:
    """The record of a reply alone.

    A reply that stopped at the length limit is `truncated` also when it states an answer; that
    answer counts. Any other reply is `ok` when it states one, else `unparsed`.
    """
    verdict = task.read(text, truncated)
    stated = "unparsed" if verdict.prediction is None else "ok"
    return EvalRow(
        id=task.id,
        status="truncated" if truncated else stated,
        prediction=verdict.prediction,
        gold=task.gold,
        asked=task.asked,
        correct=None if verdict.score is None else verdict.score >= 1.0,
        score=verdict.score,
        text=text,
        truncated=truncated,
        unclosed=verdict.flagged,
        modalities=(),
        frames=None,
        groups=plain_groups(task.groups),
        seconds=None,
        error=None,
    )


def failed_row(task: Task, error: AvatarError | None = None) -> EvalRow:
    """The record of a task that could not be asked; it counts as wrong.

    Args:
        task: what was to be asked.
        error: why it could not; `None` when its media are missing.
    """
    missing = error is None or not all(Path(ref.path).exists() for ref in media_of(task.content))
    return EvalRow(
        id=task.id,
        status="missing_media" if missing else "error",
        prediction=None,
        gold=task.gold,
        asked=task.asked,
        correct=False,
        score=0.0,
        text=None,
        truncated=False,
        modalities=(),
        frames=None,
        groups=plain_groups(task.groups),
        seconds=None,
        error=f"there is no file {', '.join(task.missing)}" if error is None else str(error),
    )


def plain_groups(groups: Mapping[str, tuple[str, ...]]) -> dict[str, str | tuple[str, ...]]:
    """Categories as rows hold them: a single one stands by itself."""
    return {name: of[0] if len(of) == 1 else of for name, of in groups.items()}
