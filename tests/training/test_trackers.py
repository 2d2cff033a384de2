"""Trackers are told of each step, and none of their troubles costs a run."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from avatar_core.config.resolve import resolve_train
from avatar_core.config.train import TrainConfig
from avatar_core.errors import UsageError
from avatar_core.training import trackers
from avatar_core.training.run import train
from avatar_core.training.trackers import TRACKERS, check_trackers, tracked, values_of
from avatar_core.training.watcher import SILENT, Watcher
from tests.run_records import metrics_row
from tests.training.runs import small


class Service:
    """A tracker of accelerate that keeps what it is told."""

    made: list[Service]
    fails_at: str | int | None = None

    def __init__(self, run_name: str, *place: str, **options: Any) -> None:
        self.name, self.place, self.options = run_name, place, options
        self.logged: list[tuple[int | None, Mapping[str, Any]]] = []
        self.calls: list[str] = []
        type(self).made.append(self)

    def start(self) -> None:
        self.calls.append("start")
        if self.fails_at == "start":
            raise RuntimeError("no key\nfor you")

    def log(self, values: Mapping[str, Any], step: int | None = None) -> None:
        if self.fails_at == step:
            raise ConnectionError("gone")
        self.logged.append((step, values))

    def finish(self) -> None:
        self.calls.append("finish")
        if self.fails_at == "finish":
            raise OSError("too late")


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Service]]:
    """Stands for every service, all of them installed."""
    from accelerate import tracking

    kind = type("Kind", (Service,), {"made": []})
    for name in TRACKERS:
        monkeypatch.setitem(tracking.LOGGER_TYPE_TO_CLASS, name, kind)
    monkeypatch.setattr(trackers, "find_spec", lambda name: name)
    yield kind


def config_in(out: Path, stage: int = 1) -> TrainConfig:
    out.mkdir(exist_ok=True)
    (out / "manifest.json").write_text(f'{{"run": "{out.name}"}}', encoding="utf-8")
    return resolve_train(stage=stage, flags={"out": str(out)})


def notes() -> tuple[list[str], Watcher]:
    said: list[str] = []
    return said, Watcher(say=said.append, step=lambda *_: None)


def test_a_run_is_drawn_step_by_step(service: type[Service], base: Path, tmp_path: Path) -> None:
    config = small(tmp_path / "run", base, "steps=2", "held_out.samples=0")
    seen: list[int] = []
    watcher = Watcher(say=lambda _: None, step=lambda row, _: seen.append(row.step))
    with tracked(watcher, ("tensorboard",), [config]) as both:
        train(config, watcher=both)
    (one,) = service.made
    assert (one.name, one.place) == ("events", (str(tmp_path / "run"),))
    assert one.options == {"purge_step": 1}
    (at, settings), *steps = one.logged
    assert at == 1
    assert "[rollout]" in settings["settings"]
    assert [step for step, _ in steps] == seen == [1, 2]
    assert {"reward_mean", "completions_generated", "loss", "lr"} <= steps[0][1].keys()
    assert one.calls == ["start", "finish"]


def test_values_that_do_not_exist_are_not_sent() -> None:
    row = metrics_row().model_copy(update={"replay_age_mean": None, "loss": 0.25})
    values = values_of(row)
    assert values["loss"] == 0.25
    assert "replay_age_mean" not in values
    assert values.keys() & {"schema", "step", "stage"} == set()
    assert all(isinstance(value, int | float) for value in values.values())


def test_services_know_a_run_again(service: type[Service], tmp_path: Path) -> None:
    row = metrics_row()
    config = config_in(tmp_path / "one")
    for first in (1, 7):
        with tracked(SILENT, ("wandb", "trackio"), [config]) as watcher:
            watcher.step(row.model_copy(update={"stage": 1, "step": first}), 9)
    with tracked(SILENT, ("wandb",), [config_in(tmp_path / "two")]) as watcher:
        watcher.step(row.model_copy(update={"stage": 1, "step": 1}), 9)
    wandb, trackio, again, trackio_again, other = service.made
    assert {one.name for one in service.made} == {"avatar"}
    assert wandb.options["id"] == again.options["id"] != other.options["id"]
    assert wandb.options["dir"] == str(tmp_path / "one")
    assert wandb.options["resume"] == trackio.options["resume"] == "allow"
    assert trackio.options["name"] == trackio_again.options["name"] == f"{tmp_path.name}-one"
    assert trackio.options["config"]["optim.lr"] == config.optim.lr
    assert None not in trackio.options["config"].values()


def test_each_stage_has_its_own_curves_and_a_cold_start_none(
    service: type[Service], tmp_path: Path
) -> None:
    configs = [config_in(tmp_path / f"stage{stage}", stage) for stage in (1, 2)]
    row = metrics_row()
    with tracked(SILENT, ("tensorboard",), configs) as watcher:
        for stage, step in ((0, 1), (1, 1), (1, 2), (2, 1)):
            watcher.step(row.model_copy(update={"stage": stage, "step": step}), 2)
    first, second = service.made
    assert [step for step, _ in first.logged] == [1, 1, 2]
    assert [step for step, _ in second.logged] == [1, 1]
    assert first.calls == second.calls == ["start", "finish"]
    assert second.place == (str(tmp_path / "stage2"),)


def test_a_service_that_fails_on_the_way_is_given_up(
    service: type[Service], tmp_path: Path
) -> None:
    said, told = notes()
    service.fails_at = 2
    with tracked(told, ("tensorboard",), [config_in(tmp_path / "run")]) as watcher:
        for step in (1, 2, 3):
            watcher.step(metrics_row().model_copy(update={"stage": 1, "step": step}), 3)
    assert said == ["tracker tensorboard is given up at step 2: ConnectionError: gone"]
    assert [step for step, _ in service.made[0].logged] == [1, 1]


def test_a_service_that_does_not_close_is_a_note(service: type[Service], tmp_path: Path) -> None:
    said, told = notes()
    service.fails_at = "finish"
    with tracked(told, ("trackio",), [config_in(tmp_path / "run")]) as watcher:
        watcher.step(metrics_row().model_copy(update={"stage": 1}), 3)
    assert said == ["tracker trackio did not close: OSError: too late"]


def test_a_service_that_does_not_open_ends_the_run(service: type[Service], tmp_path: Path) -> None:
    service.fails_at = "start"
    with (
        pytest.raises(UsageError, match=r"trackio: could not be started \(RuntimeError: no key\);"),
        tracked(SILENT, ("trackio",), [config_in(tmp_path / "run")]) as watcher,
    ):
        watcher.step(metrics_row().model_copy(update={"stage": 1}), 3)


def test_unknown_and_absent_trackers_are_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="--tracker tensorbord: unknown.*'tensorboard'"):
        check_trackers(["tensorbord"])
    monkeypatch.setattr(trackers, "find_spec", lambda _: None)
    with (
        pytest.raises(UsageError, match="--tracker wandb: its package is not installed"),
        tracked(SILENT, ("wandb",), []),
    ):
        pytest.fail("a tracker without its package was let in")


def test_nothing_is_looked_for_when_none_is_asked_for() -> None:
    with tracked(SILENT, (), []) as watcher:
        assert watcher is SILENT


def test_the_names_are_those_of_accelerate() -> None:
    from accelerate.tracking import LOGGER_TYPE_TO_CLASS

    assert set(TRACKERS) <= {str(name) for name in LOGGER_TYPE_TO_CLASS}
    tensorboard = LOGGER_TYPE_TO_CLASS["tensorboard"]("events", os.curdir, purge_step=1)
    # What `open_tracker` relies on: the place of the events, and options that are handed on.
    told = SimpleNamespace(**vars(tensorboard))
    assert (told.run_name, told.init_kwargs) == ("events", {"purge_step": 1})
