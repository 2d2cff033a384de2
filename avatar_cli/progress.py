"""The progress line of a training run: reward, accuracy, completions, groups with signal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from avatar_cli.options import Output
from avatar_cli.render import console, count, decimal, percent, progress_bar, safe
from avatar_core.records import MetricsRow

if TYPE_CHECKING:
    from avatar_core.training.watcher import Watcher

LINES = 10
"""Lines that a run leaves in a log."""


@contextmanager
def training_progress(output: Output) -> Iterator[Watcher]:
    """Show a run's notes and its progress on stderr while the block lasts; nothing when quiet."""
    from avatar_core.training.watcher import Watcher

    screen = console(stderr=True)
    with progress_bar(output) as bar:
        task = bar.add_task("training", total=None, note="", start=True)

        def say(sentence: str) -> None:
            if not output.quiet:
                (screen if bar.disable else bar.console).print(safe(sentence))

        def step(row: MetricsRow, total: int) -> None:
            # A log gets a line now and then in place of the bar.
            if bar.disable and row.step % max(1, total // LINES) == 0:
                say(f"stage {row.stage}, step {row.step} of {total}: {training_note(row)}")
            bar.update(
                task,
                description=f"stage {row.stage}",
                total=total,
                completed=row.step,
                note=training_note(row),
            )

        yield Watcher(say=say, step=step)


def training_note(row: MetricsRow) -> str:
    """Describe a step in one short line."""
    signal = 1 - row.groups_no_signal / row.groups if row.groups else None
    return (
        f"reward {decimal(row.reward_mean, 2)}, accuracy {percent(row.accuracy_fresh)}, "
        f"{count(row.completions_generated)} completions, signal {percent(signal)}"
    )
