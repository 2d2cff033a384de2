"""All stages in a row, each from what the one before it left."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from avatar_core.config.stages import cold_start_config
from avatar_core.config.train import TrainConfig
from avatar_core.errors import UsageError, memory_errors
from avatar_core.files import LOCK, disk_errors, published_directory, run_lock, write_json
from avatar_core.run_directory import CONFIG, has_begun
from avatar_core.training.parallel import joined_processes
from avatar_core.training.preflight import check_start
from avatar_core.training.run import RunResult, checked, cold_start, memory_remedy, run_stage
from avatar_core.training.watcher import SILENT, Watcher


def train_stages(
    configs: Sequence[TrainConfig], *, resume: bool = True, watcher: Watcher = SILENT
) -> list[RunResult]:
    """Run stages one after the other, or go on with the first that is not finished.

    Args:
        configs: as of `resolve_stages`.
        resume: take up runs found in their directories; else those must be empty.
        watcher: is told how it goes.

    Returns:
        What each stage left, in order.

    Raises:
        AvatarError: see `avatar_core.training.run.train`. The inputs of all stages are checked
            before the first begins.
    """
    results = []
    with joined_processes() as world:
        watcher = watcher if world.leads else SILENT
        inputs = checked(configs, resume=resume, watcher=watcher, world=world)
        for config, data in zip(configs, inputs, strict=True):
            watcher.say(f"stage {config.stage}, in {config.out}")
            with memory_errors(memory_remedy(config)):
                with world.lead_first():
                    if config == cold_start_config().model_copy(update={"out": config.out}):
                        take_cold_start(config, watcher)
                check_start(config)
                results.append(run_stage(config, data, resume=resume, watcher=watcher, world=world))
    return results


def take_cold_start(config: TrainConfig, watcher: Watcher) -> None:
    """Copy the embedded model's stage 0 to where a stage 0 of these settings is to run.

    It is trained now unless it is kept from earlier. A run that has begun there is left alone.

    Raises:
        UsageError: the directory holds files of no run.
        RunLockedError: another process is about to begin a run there.
    """
    run = Path(config.out)
    if has_begun(run, "run"):
        return
    source = cold_start(watcher)
    with run_lock(run), disk_errors(run):
        if has_begun(run, "run"):
            return
        # Its lock is all that a start cut short has left; anything else is not ours to remove.
        if any(path.name != LOCK for path in run.iterdir()):
            raise UsageError(f"--out {run}: holds files of no run; choose another directory")
        (run / LOCK).unlink()
        run.rmdir()
    with published_directory(run) as copy:
        shutil.copytree(source, copy, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".*"))
        write_json(copy / CONFIG, config.model_dump(mode="json"))
