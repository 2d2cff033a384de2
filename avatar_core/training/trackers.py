"""Curves of a run where a group looks at them: TensorBoard, trackio or Weights & Biases.

Everything a tracker is sent is in the run directory as well; nothing reads it back. The services
are those of accelerate, and their packages are the user's to install. A tracker begins with the
first step, after the run directory has been claimed, and in the process that leads alone. One that
fails later is given up and the run goes on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol, cast

from avatar_core.config.resolve import flatten, present
from avatar_core.config.toml import to_toml
from avatar_core.config.train import TrainConfig
from avatar_core.errors import UsageError
from avatar_core.naming import nearest
from avatar_core.records import MetricsRow
from avatar_core.run_directory import MANIFEST
from avatar_core.training.watcher import Watcher

TRACKERS = ("tensorboard", "trackio", "wandb")
"""Names that `--tracker` takes; each is also that of the package it needs."""
PROJECT = "avatar"
"""Project that runs are listed under, of services that have projects."""
EVENTS = "events"
"""Folder of a run directory that TensorBoard reads."""


class Tracker(Protocol):
    """What is used of a tracker of accelerate."""

    def start(self) -> None:
        """Open the service."""

    def log(self, values: Mapping[str, float | str], step: int | None = None) -> None:
        """Send the values of a step."""

    def finish(self) -> None:
        """Send what is left and close the service."""


def check_trackers(names: Sequence[str]) -> None:
    """Raise `UsageError` unless every tracker is known and its package is installed."""
    for name in names:
        if name not in TRACKERS:
            raise UsageError(f"--tracker {name}: unknown tracker{nearest(name, list(TRACKERS))}")
        if find_spec(name) is None:
            raise UsageError(
                f"--tracker {name}: its package is not installed; install {name}, or leave it out"
            )


@contextmanager
def tracked(
    watcher: Watcher, names: Sequence[str], configs: Sequence[TrainConfig]
) -> Iterator[Watcher]:
    """Tell trackers of every step too, while the block lasts.

    Args:
        watcher: who is told otherwise, and of trackers that were given up.
        names: of `TRACKERS`; none leaves the watcher as it is.
        configs: of the runs, one per stage. Steps of another stage, which are those of the embedded
            model's own cold start, are not sent.

    Raises:
        UsageError: see `check_trackers`; at the first step, a tracker could not be started.
    """
    check_trackers(names)
    if not names:
        yield watcher
        return
    curves = _Curves(dict.fromkeys(names), {config.stage: config for config in configs}, watcher)

    def step(row: MetricsRow, total: int) -> None:
        watcher.step(row, total)
        curves.add(row)

    try:
        yield watcher._replace(step=step)
    finally:
        curves.finish()


def open_tracker(name: str, config: TrainConfig, first_step: int) -> Tracker:
    """Start a tracker for a run.

    A run that is resumed goes on in its old curves.

    Args:
        name: one of `TRACKERS`.
        config: of the run; its settings are sent as well.
        first_step: the step that is sent first; what TensorBoard has of it and of later ones, from
            before the run was resumed, is not shown any more.
    """
    # Here and not above: it looks for every service it knows.
    from accelerate.tracking import LOGGER_TYPE_TO_CLASS

    kind, run = LOGGER_TYPE_TO_CLASS[name], Path(config.out)
    if name == "tensorboard":
        tracker = cast("Tracker", kind(EVENTS, str(run), purge_step=first_step))
        tracker.start()
        tracker.log({"settings": f"```toml\n{to_toml(config)}\n```"}, step=first_step)
        return tracker
    options: dict[str, Any] = {
        "name": "-".join(run.parts[-2:]),
        "config": flatten(present(config.model_dump(mode="json"))),
        "resume": "allow",
    }
    if name == "wandb":
        options |= {"id": _identity(run), "dir": str(run)}
    tracker = cast("Tracker", kind(PROJECT, **options))
    tracker.start()
    return tracker


def values_of(row: MetricsRow) -> dict[str, float]:
    """The numbers of a step under their names in `metrics.jsonl`; what does not exist is absent."""
    numbers = row.to_row()
    return {
        name: value
        for name, value in numbers.items()
        if isinstance(value, int | float) and name not in ("schema", "step", "stage")
    }


def _identity(run: Path) -> str:
    """The same for a run and its continuation, another one for a new run in the same place."""
    return hashlib.blake2b((run / MANIFEST).read_bytes(), digest_size=8).hexdigest()


class _Curves:
    """The trackers of the stage that is running, opened at its first step."""

    def __init__(
        self, names: Mapping[str, None], configs: Mapping[int, TrainConfig], watcher: Watcher
    ) -> None:
        self._names, self._configs, self._say = tuple(names), configs, watcher.say
        self._stage: int | None = None
        self._open: dict[str, Tracker] = {}

    def add(self, row: MetricsRow) -> None:
        """Send a step."""
        config = self._configs.get(row.stage)
        if config is None:
            return
        if row.stage != self._stage:
            self.finish()
            self._stage = row.stage
            for name in self._names:
                self._open[name] = _started(name, config, row.step)
        for name in tuple(self._open):
            self._send(name, row)

    def finish(self) -> None:
        """Close what is open."""
        while self._open:
            name, tracker = self._open.popitem()
            try:
                tracker.finish()
            except Exception as error:  # noqa: BLE001 - the run is over and saved
                self._say(f"tracker {name} did not close: {_reason(error)}")

    def _send(self, name: str, row: MetricsRow) -> None:
        try:
            self._open[name].log(values_of(row), step=row.step)
        except Exception as error:  # noqa: BLE001 - a service that fails must not end a run
            del self._open[name]
            self._say(f"tracker {name} is given up at step {row.step}: {_reason(error)}")


def _started(name: str, config: TrainConfig, first_step: int) -> Tracker:
    try:
        return open_tracker(name, config, first_step)
    except Exception as error:
        raise UsageError(
            f"--tracker {name}: could not be started ({_reason(error)}); mend that or leave it "
            "out, the same command continues the run"
        ) from error


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0][:200]}"
