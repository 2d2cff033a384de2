"""What a run was made with: versions, reward files, command, device, digest of first weights."""

from __future__ import annotations

from avatar_core.config.train import TrainConfig
from avatar_core.models.qwen_omni import QwenOmniPolicy
from avatar_core.provenance import new_manifest
from avatar_core.records import Manifest
from avatar_core.training.reward_files import reward_versions


def run_manifest(config: TrainConfig, policy: QwenOmniPolicy) -> Manifest:
    """The manifest of a run that starts now; its versions hold a digest of each reward file."""
    manifest = new_manifest(config.model, policy.model, seed=config.seed, media=config.media)
    versions = {**manifest.versions, **reward_versions(config.reward)}
    return manifest.model_copy(update={"versions": versions})
