"""Checkpoints: a directory that appears whole or not at all, checked before it is used.

checkpoints/step-<N>/   weights, tokenizer and processor in the `save_pretrained` layout
    trainer/            optimiser moments (safetensors), counters, hints and what is remembered of
                        prompts (JSON), replay buffer
    manifest.json       size and SHA-256 of every other file, written last
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from avatar_core.errors import UsageError
from avatar_core.files import disk_errors, published_directory, read_json, write_json
from avatar_core.manifest import (
    CHECKPOINTS,
    saved_checkpoints,
    sound_checkpoints,
    write_manifest,
)
from avatar_core.models.policy import Policy
from avatar_core.replay import ReplayBuffer
from avatar_core.replay.store import load_state, save_buffer
from avatar_core.run_directory import REPLAY, TRAINER
from avatar_core.training.baselines import Memories
from avatar_core.training.hints import HintMemory
from avatar_core.training.optimiser import parameters_of
from avatar_core.training.skipping import Runs
from avatar_core.training.telemetry import Counters

STATE = f"{TRAINER}/state.json"


@dataclass(frozen=True, slots=True)
class TrainerState:
    """What training needs besides the policy's weights.

    Attributes:
        optimiser: with the moments of every trained parameter.
        counters: totals of the run.
        buffer: stored groups and baselines; filled also when nothing is replayed, for the tiers.
        data: digest of the training samples; a run goes on with the samples it began with.
        hints: what decides which prompts show their hint.
        memories: mean rewards that fresh completions are compared with.
        runs: equal rewards by which visits are passed over.
    """

    optimiser: torch.optim.Optimizer
    counters: Counters
    buffer: ReplayBuffer
    data: str
    hints: HintMemory = field(default_factory=HintMemory)
    memories: Memories = field(default_factory=Memories)
    runs: Runs = field(default_factory=Runs)


class Progress(NamedTuple):
    """The part of a trainer's state that a step changes before its update."""

    counters: Mapping[str, int]
    """Totals by name."""
    hints: Mapping[str, Any]
    """As of `HintMemory.state_dict`."""


def progress_of(state: TrainerState) -> Progress:
    """The progress after a finished step."""
    return Progress(state.counters.state(), state.hints.state_dict())


def rewind(state: TrainerState, progress: Progress) -> None:
    """Undo what a step that failed midway has done; weights, moments and buffer it left alone."""
    state.counters.restore(progress.counters)
    state.hints.load_state_dict(progress.hints)


def save_checkpoint(
    run: Path,
    step: int,
    policy: Policy,
    state: TrainerState,
    *,
    keep: int,
    trusted: Sequence[Path] = (),
) -> list[Path]:
    """Publish `checkpoints/step-<N>` and remove all but the newest `keep` sound ones.

    Args:
        run: run directory.
        step: number of steps done.
        policy: whose weights are saved.
        state: everything else that is saved.
        keep: how many checkpoints stay.
        trusted: what the call before returned; those are not read again, since hashing two
            checkpoints of a 7B model takes longer than writing one. The stored groups of the first
            are taken over.

    Returns:
        The checkpoints that are there now, all of them sound, newest first.
    """
    path = run / CHECKPOINTS / f"step-{step}"
    with disk_errors(path):
        if path.exists():
            # A run comes to a step again only when the checkpoint of that step was not sound.
            shutil.rmtree(path)
    with published_directory(path) as directory, _hidden_disk_errors():
        policy.save(directory)
        trainer = directory / TRAINER
        trainer.mkdir()
        save_file(_moments(state.optimiser), trainer / "optimiser.safetensors")
        document = {
            "step": step,
            "data": state.data,
            **progress_of(state)._asdict(),
            "memories": state.memories.state_dict(),
            "runs": state.runs.state_dict(),
        }
        write_json(directory / STATE, document)
        # Stored groups never change: those of the checkpoint before are linked, not written again.
        before = trusted[0] / REPLAY if trusted else None
        save_buffer(state.buffer, directory / REPLAY, previous=before)
        write_manifest(directory)
    kept = sound_checkpoints(run, at_most=keep, trusted={path, *trusted})
    with disk_errors(path):
        for old in saved_checkpoints(run).values():
            if old not in kept:
                shutil.rmtree(old)
    return kept


def remove_unfinished(run: Path) -> None:
    """Remove what a process that was killed while it saved has left; call it under the lock."""
    with disk_errors(run / CHECKPOINTS):
        for path in run.glob(f"{CHECKPOINTS}/.step-*.tmp"):
            shutil.rmtree(path)


def check_same_samples(checkpoint: Path, data: str) -> None:
    """Raise `UsageError` unless a sound checkpoint is of a run on the samples of this digest."""
    if read_json(checkpoint / STATE)["data"] != data:
        raise UsageError(
            f"{checkpoint}: the training samples have changed since; "
            "restore the data or choose another --out"
        )


def restore_trainer(checkpoint: Path, state: TrainerState) -> int:
    """Take over optimiser, counters, hints and buffer from a sound checkpoint; returns its step.

    Raises:
        UsageError: it was written by a run on other training samples.
    """
    check_same_samples(checkpoint, state.data)
    trainer = checkpoint / TRAINER
    document: dict[str, Any] = read_json(checkpoint / STATE)
    # A release without hints or memories saved none.
    rewind(state, Progress(document["counters"], document.get("hints", {})))
    state.memories.load_state_dict(document.get("memories", {}))
    state.runs.load_state_dict(document.get("runs", {}))
    moments = load_file(trainer / "optimiser.safetensors")
    parameters = parameters_of(state.optimiser)
    for key, moment in moments.items():
        index, name = key.split(".")
        parameter = parameters[int(index)]
        device = "cpu" if name == "step" else parameter.device
        state.optimiser.state[parameter][name] = moment.to(device)
    state.buffer.load_state_dict(load_state(checkpoint / REPLAY))
    return int(document["step"])


def _moments(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Optimiser state as flat tensors on the CPU, named `<parameter index>.<moment>`."""
    return {
        f"{index}.{name}": moment.detach().contiguous().to("cpu", copy=True)
        for index, parameter in enumerate(parameters_of(optimiser))
        for name, moment in optimiser.state.get(parameter, {}).items()
    }


@contextmanager
def _hidden_disk_errors() -> Iterator[None]:
    """Raise the `OSError` behind what safetensors and tokenizers say when the disk refuses.

    Both are written in Rust and raise other types; of the error its number stays in their text.
    """
    try:
        yield
    except Exception as error:
        if "(os error " not in str(error):
            raise
        raise OSError(str(error)) from error
