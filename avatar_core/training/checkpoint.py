"""Checkpoints: a directory that appears whole or not at all, checked against its manifest before it is used.

checkpoints/step-<N>/   weights, tokenizer and processor in the `save_pretrained` layout
trainer/            optimiser moments (safetensors), counters and position (JSON), replay buffer
manifest.json       size and SHA-256 of every other file, written last
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from avatar_core.files import published_directory, read_json, write_json
from avatar_core.manifest import sound_checkpoints, write_manifest
from avatar_core.models.policy import Policy
from avatar_core.replay import ReplayBuffer
from avatar_core.replay.store import save_buffer
from avatar_core.training.telemetry import Counters

MOMENTS = ("exp_avg", "exp_avg_sq", "step")


class TrainerState(NamedTuple):
    """What training needs besides the policy's weights."""

    optimiser: torch.optim.Optimizer
    """With the moments of every trained parameter."""
    counters: Counters
    """Totals of the run."""
    buffer: ReplayBuffer
    """Stored groups and baselines; filled also when nothing is replayed, for the tiers."""


def save_checkpoint(
    run: Path, step: int, policy: Policy, state: TrainerState, *, keep: int
) -> Path:
    """Publish `checkpoints/step-<N>` and remove all but the newest `keep` sound ones."""
    path = run / "checkpoints" / f"step-{step}"
    with published_directory(path) as directory:
        policy.save(directory)
        trainer = directory / "trainer"
        trainer.mkdir()
        save_file(_moments(state.optimiser), trainer / "optimiser.safetensors")
        write_json(trainer / "state.json", {"step": step, "counters": state.counters.state()})
        save_buffer(state.buffer, trainer / "replay")
        write_manifest(directory)
    for old in sound_checkpoints(run)[keep:]:
        shutil.rmtree(old)
    return path


def restore_trainer(checkpoint: Path, state: TrainerState) -> int:
    """Take over optimiser, counters and buffer from a sound checkpoint; returns its step."""
    trainer = checkpoint / "trainer"
    document: dict[str, Any] = read_json(trainer / "state.json")
    state.counters.restore(document["counters"])
    moments = load_file(trainer / "optimiser.safetensors")
    for index, parameter in enumerate(_parameters(state.optimiser)):
        if f"{index}.step" in moments:
            state.optimiser.state[parameter] = {
                name: moments[f"{index}.{name}"].to("cpu" if name == "step" else parameter.device)
                for name in MOMENTS
            }
    state.buffer.load_state_dict(load_state(trainer / "replay"))
    return int(document["step"])


def _moments(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Optimiser state as flat tensors named `<parameter index>.<moment>`."""
    tensors = {}
    for index, parameter in enumerate(_parameters(optimiser)):
        for name, value in optimiser.state.get(parameter, {}).items():
            tensors[f"{index}.{name}"] = value.detach().contiguous().clone()
    return tensors


def _parameters(optimiser: torch.optim.Optimizer) -> list[Tensor]:
    return [parameter for group in optimiser.param_groups for parameter in group["params"]]
