"""Builds a run directory whose checkpoint is the untrained tiny model."""

from __future__ import annotations

from pathlib import Path

from avatar_core.config.resolve import resolve_train
from avatar_core.config.train import TrainConfig
from avatar_core.files import write_json
from avatar_core.manifest import write_manifest
from avatar_core.models.loading import load_policy

MAX_NEW_TOKENS = 6
SYSTEM_PROMPT = "Look, listen, answer."


def tiny_run(directory: Path, *, seed: int = 0) -> Path:
    """Write config.json and one sound checkpoint as training leaves them; answers are noise."""
    assignments = [
        f"sampling.max_new_tokens={MAX_NEW_TOKENS}",
        f"rollout.system_prompt={SYSTEM_PROMPT}",
        "media.max_frames=4",
    ]
    config: TrainConfig = resolve_train(stage=1, assignments=assignments)
    write_json(directory / "config.json", config.model_dump(mode="json"))
    checkpoint = directory / "checkpoints" / "step-1"
    checkpoint.mkdir(parents=True)
    load_policy("tiny", seed=seed).save(checkpoint)
    write_manifest(checkpoint)
    return directory
