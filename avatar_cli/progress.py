"""The progress line of a training run: reward, accuracy, completions, groups with signal.

Reward and accuracy are those of the step, completions those of the run so far. The signal is the
share of groups whose completions differ in reward, over the last `WINDOW` steps: of a single step's
few groups it would jump.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from avatar_cli.options import Output
from avatar_cli.render import console, decimal, percent, progress_bar, safe
from avatar_core.plural import counted
from avatar_core.records import MetricsRow

if TYPE_CHECKING:
    from avatar_core.training.watcher import Watcher

LINES = 10
"""Lines that a run leaves in a log."""
WINDOW = 10
"""Steps that the signal is of."""


class Course:
    """The steps of a stage that this process has seen."""

    def __init__(self, began: float) -> None:
        """See nothing yet; `began` is when the command began, by `time.monotonic`."""
        self._began = began
        self._first: tuple[int, float] | None = None
        self._rows: deque[MetricsRow] = deque(maxlen=WINDOW + 1)

    def take(self, row: MetricsRow, now: float) -> None:
        """See a step that ended at `now`; one of another stage begins anew."""
        if self._first is None or row.stage != self._rows[-1].stage:
            self._rows.clear()
            self._first = row.step, now
        self._rows.append(row)

    def note(self) -> str:
        """Describe the last step in one short line."""
        return training_note(self._rows)

    def times(self, total: int) -> str:
        """Time taken by the command, and that the rest of the stage's `total` steps may take."""
        step, now = self._rows[-1].step, time.monotonic()
        said = f"{_clock(now - self._began)} so far"
        first, since = self._first or (step, now)
        if step == first or step >= total:
            return said
        left = (now - since) / (step - first) * (total - step)
        return f"{said}, about {_clock(left)} left"


@contextmanager
def training_progress(output: Output) -> Iterator[Watcher]:
    """Show a run's notes and its progress on stderr while the block lasts; nothing when quiet."""
    from avatar_core.training.watcher import Watcher

    screen, course = console(stderr=True), Course(time.monotonic())
    with progress_bar(output) as bar:
        task = bar.add_task("training", total=None, note="", start=True)

        def say(sentence: str) -> None:
            if not output.quiet:
                (screen if bar.disable else bar.console).print(safe(sentence), soft_wrap=True)

        def step(row: MetricsRow, total: int) -> None:
            course.take(row, time.monotonic())
            # A log gets a line now and then in place of the bar.
            if bar.disable and row.step % max(1, total // LINES) == 0:
                place = f"stage {row.stage}, step {row.step} of {total}"
                say(f"{place}: {course.note()}; {course.times(total)}")
            bar.update(
                task,
                description=f"stage {row.stage}",
                total=total,
                completed=row.step,
                note=course.note(),
            )

        yield Watcher(say=say, step=step)


def training_note(rows: Sequence[MetricsRow]) -> str:
    """Describe the last of the given steps in one short line, its signal over all of them.

    The supervised stage rewards nothing and draws no completions; its loss tells how it goes.
    """
    row = rows[-1]
    if row.stage == 0:
        return f"loss {decimal(row.loss)}"
    return (
        f"reward {decimal(row.reward_mean, 2)}, accuracy {percent(row.accuracy_fresh)}, "
        f"{counted(row.completions_generated, 'completion')}, "
        f"signal {percent(signal_share(rows))} ({WINDOW} steps)"
    )


def signal_share(rows: Sequence[MetricsRow]) -> float | None:
    """Share of groups with signal of the last `WINDOW` of some steps; `None` without groups.

    Groups are counted from the start of the run, so that those of a step are what it adds to the
    step before; the first step that a process sees is left out unless it is that of the run.
    """
    last, base = rows[-1], rows[max(0, len(rows) - WINDOW - 1)]
    whole = base.step == 1 and len(rows) <= WINDOW
    groups = last.groups - (0 if whole else base.groups)
    silent = last.groups_no_signal - (0 if whole else base.groups_no_signal)
    return 1 - silent / groups if groups else None


def _clock(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))
