"""One training run: check the inputs, take up where the run stopped, train, record, save, measure.

Files of a run directory: `config.json`, `manifest.json`, `metrics.jsonl`, `groups.jsonl`, `held_out/`,
`checkpoints/`. Nothing is written before every input has been checked.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from avatar_core.asking import Asker
from avatar_core.config.resolve import frozen_changes, resolve_train, validate
from avatar_core.config.train import TrainConfig
from avatar_core.data.scenes.library import cache_directory
from avatar_core.errors import CheckpointError, UsageError
from avatar_core.files import (
    JsonlAppender,
    read_json,
    read_jsonl,
    run_lock,
    write_atomic,
    write_json,
)
from avatar_core.manifest import sound_checkpoints
from avatar_core.media import MediaLoader
from avatar_core.models.loading import load_policy
from avatar_core.models.qwen_omni import QwenOmniPolicy
from avatar_core.records import EvalRow, MetricsRow
from avatar_core.replay import ReplayBuffer
from avatar_core.stop import stop_on_signal
from avatar_core.training.checkpoint import TrainerState, restore_trainer, save_checkpoint
from avatar_core.training.data import held_out_samples, training_samples
from avatar_core.training.held_out import HeldOut, measure_held_out, summarise
from avatar_core.training.identity import run_manifest
from avatar_core.training.loop import reinforce
from avatar_core.training.rows import StepRecord, group_rows, metrics_row
from avatar_core.training.sft import supervise
from avatar_core.training.step import make_optimiser
from avatar_core.training.telemetry import Counters
from avatar_core.training.trainee import Trainee
from avatar_core.types import Sample
from avatar_core.version import VERSION


class Watcher(NamedTuple):
    """Who is told how a run goes; the functions are called often and must be quick."""

    say: Callable[[str], None]
    """One sentence about what happens next."""
    step: Callable[[MetricsRow, int], None]
    """A finished step, and the number of steps of its run."""


SILENT = Watcher(say=lambda _: None, step=lambda *_: None)


class RunResult(NamedTuple):
    """What a finished run leaves."""

    directory: Path
    """The run directory."""
    checkpoint: Path
    """The last checkpoint."""
    held_out: HeldOut | None
    """Held-out accuracy before and after; `None` when it was not measured."""


def train(config: TrainConfig, *, resume: bool = True, watcher: Watcher = SILENT) -> RunResult:
    """Run or continue one stage.

    Args:
        config: what to do; `config.out` is the run directory.
        resume: take up a run found in `config.out`; else it must be empty.
        watcher: is told how it goes.

    Raises:
        AvatarError: see `avatar_core.errors`; after a signal `Stopped`, with everything saved.
    """
    run = Path(config.out)
    check_directory(run, config, resume=resume)
    start = starting_point(config, watcher)
    watcher.say(f"preparing {config.data} for stage {config.stage}")
    samples, measured = training_samples(config), held_out_samples(config)
    watcher.say(f"loading {start}")
    policy = load_policy(start, seed=config.seed)
    with ExitStack() as stack:
        stack.enter_context(run_lock(run))
        loader = stack.enter_context(MediaLoader(config.media))
        asker = Asker(policy, loader, system_prompt=config.rollout.system_prompt)
        trainee = Trainee(policy, asker, samples, new_state(policy, config))
        done = take_up(run, config, trainee)
        before = measure(trainee, measured, config, "before", watcher)
        advance(run, config, trainee, done, watcher)
        after = measure(trainee, measured, config, "after", watcher)
    return RunResult(
        directory=run,
        checkpoint=run / "checkpoints" / f"step-{config.steps}",
        held_out=summarise(before, after) if measured else None,
    )


def check_directory(run: Path, config: TrainConfig, *, resume: bool) -> None:
    """Accept an empty or absent directory, or one that holds a run this configuration may continue.

    Raises:
        UsageError: something else is there; names the fields that differ.
    """
    if not run.exists() or not any(path.name != ".lock" for path in run.iterdir()):
        return
    stored = run / "config.json"
    if not stored.is_file():
        raise UsageError(f"--out {run}: is not empty and holds no run; choose another directory")
    if not resume:
        raise UsageError(f"--out {run}: holds a run already; choose another directory or --resume")
    changes = frozen_changes(validate(TrainConfig, read_json(stored)), config)
    if changes:
        raise UsageError(
            f"--out {run}: holds a run with other settings ({'; '.join(changes[:5])}); "
            "choose another directory or restore them"
        )


def starting_point(config: TrainConfig, watcher: Watcher) -> str:
    """What the policy is loaded from: `init`, the embedded model's own stage 0, or `model`."""
    if config.init is not None:
        return config.init
    if config.model == "tiny" and config.stage > 0:
        return str(cold_start(config, watcher))
    return config.model


def cold_start(config: TrainConfig, watcher: Watcher) -> Path:
    """The embedded model after stage 0, trained now or taken from the cache; returns its run directory.

    It is trained once for all run seeds, so that runs with different seeds start from one policy.
    """
    first = resolve_train(stage=0, preset=config.preset, flags={"data": "scenes", "seed": 0})
    identity = f"{VERSION} {first.model_copy(update={'preset': ''}).model_dump_json()}"
    name = hashlib.blake2b(identity.encode(), digest_size=8).hexdigest()
    run = cache_directory().parent / "stage0" / name
    last = run / "checkpoints" / f"step-{first.steps}"
    if last not in sound_checkpoints(run):
        watcher.say(f"no --init given: running stage 0 first; it is kept in {run} for later runs")
        train(first.model_copy(update={"out": str(run)}), watcher=watcher)
    return run


def new_state(policy: QwenOmniPolicy, config: TrainConfig) -> TrainerState:
    """Optimiser, counters and buffer of a run that has not begun."""
    replay = config.replay
    buffer = ReplayBuffer(
        replay.capacity,
        replay.ratios,
        window=replay.window,
        min_fill=replay.min_fill,
        members_per_group=replay.members_per_group,
    )
    return TrainerState(make_optimiser(policy.parameters(), config.optim), Counters(), buffer)


def take_up(run: Path, config: TrainConfig, trainee: Trainee) -> int:
    """Restore the newest sound checkpoint, or begin; returns the number of steps done.

    The reference policy is the one the run started from, so it is frozen before weights are restored.

    Raises:
        CheckpointError: checkpoints are there but none is sound; a run never starts over by itself.
    """
    checkpoints = sound_checkpoints(run)
    if not checkpoints and any(run.glob("checkpoints/step-*")):
        raise CheckpointError(f"{run}/checkpoints: no checkpoint is sound; choose another --out")
    with trainee.policy.reference():
        pass
    if not checkpoints:
        write_json(run / "config.json", config.model_dump(mode="json"))
        write_json(run / "manifest.json", run_manifest(config, trainee.policy).to_row())
        done = 0
    else:
        trainee.policy.restore(checkpoints[0])
        done = restore_trainer(checkpoints[0], trainee.state)
    for name in ("metrics.jsonl", "groups.jsonl"):
        keep_rows(run / name, up_to=done)
    return done


def keep_rows(path: Path, *, up_to: int) -> None:
    """Drop the rows of steps after `up_to`: a resumed run takes those steps again."""
    if not path.is_file():
        return
    rows = [row for _, row in read_jsonl(path, torn_tail=True) if row["step"] <= up_to]
    write_atomic(path, "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows))


def advance(run: Path, config: TrainConfig, trainee: Trainee, done: int, watcher: Watcher) -> None:
    """Take the remaining steps, recording each and saving as configured or when asked to stop."""
    steps: Iterator[StepRecord] = (supervise if config.stage == 0 else reinforce)(
        trainee, config, done=done
    )
    with (
        stop_on_signal() as stop,
        JsonlAppender(run / "metrics.jsonl") as metrics,
        JsonlAppender(run / "groups.jsonl") as groups,
    ):
        for record in steps:
            row = metrics_row(record, trainee.state.counters)
            for group in group_rows(record):
                groups.append(group.to_row())
            metrics.append(row.to_row())
            watcher.step(row, config.steps)
            last = record.step == config.steps
            if last or stop.signal or record.step % config.checkpoint.every == 0:
                save_checkpoint(
                    run, record.step, trainee.policy, trainee.state, keep=config.checkpoint.keep
                )
            if not last:
                stop.raise_if_asked(f"stopped after step {record.step}; the same command continues")


def measure(
    trainee: Trainee,
    samples: Sequence[Sample],
    config: TrainConfig,
    when: str,
    watcher: Watcher,
) -> list[EvalRow]:
    """Held-out rows before or after the stage, kept in `held_out/<when>.jsonl`."""
    if not samples:
        return []
    watcher.say(f"answering {len(samples)} held-out samples {when} the stage")
    path = Path(config.out) / "held_out" / f"{when}.jsonl"
    return measure_held_out(trainee.policy, trainee.asker, samples, config, path)
