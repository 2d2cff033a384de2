from __future__ import annotations

import hashlib
from pathlib import Path

from avatar_core.config.resolve import resolve_train
from avatar_core.models.qwen_omni import QwenOmniPolicy
from avatar_core.provenance import fingerprint
from avatar_core.training.identity import run_manifest
from avatar_core.version import VERSION


def test_a_manifest_says_what_a_run_was_made_with(policy: QwenOmniPolicy, tmp_path: Path) -> None:
    code = tmp_path / "mine.py"
    code.write_text("x = 1\n", "utf-8")
    config = resolve_train(
        stage=1, assignments=["seed=3", "media.fps=1.5", f'reward.files=["{code}"]']
    )
    manifest = run_manifest(config, policy)
    assert (manifest.seed, manifest.model, manifest.media["fps"]) == (3, "tiny", 1.5)
    assert manifest.model_fingerprint == fingerprint(policy.model)
    assert manifest.versions["avatar"] == VERSION
    assert manifest.versions[f"reward file {code}"] == hashlib.sha256(b"x = 1\n").hexdigest()
    assert manifest.threads == 1
