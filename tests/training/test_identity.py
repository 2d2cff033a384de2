from __future__ import annotations

import torch
from torch import nn

from avatar_core.config.resolve import resolve_train
from avatar_core.models.qwen_omni import QwenOmniPolicy
from avatar_core.training.identity import fingerprint, library_versions, run_manifest
from avatar_core.version import VERSION


def test_a_fingerprint_tells_values_names_and_shapes() -> None:
    torch.manual_seed(0)
    layer = nn.Linear(3, 2)
    first = fingerprint(layer)
    assert first == fingerprint(layer)
    assert len(first) == 32
    found = {first, fingerprint(nn.Sequential(layer))}
    with torch.no_grad():
        layer.weight[1, 2] += 1e-6
    found.add(fingerprint(layer))
    turned = nn.Linear(2, 3)
    turned.load_state_dict({"weight": layer.weight.reshape(3, 2), "bias": torch.zeros(3)})
    found.add(fingerprint(turned))
    assert len(found) == 4


def test_of_many_values_few_are_read() -> None:
    layer = nn.Linear(5000, 1, bias=False)
    first = fingerprint(layer)
    changed = 0
    # ⌈5000 / 1024⌉ = 5: every fifth value is read.
    for place in range(20):
        with torch.no_grad():
            layer.weight[0, place] += 1.0
            changed += fingerprint(layer) != first
            layer.weight[0, place] -= 1.0
        first = fingerprint(layer)
    assert changed == 4


def test_a_manifest_says_what_a_run_was_made_with(policy: QwenOmniPolicy) -> None:
    config = resolve_train(stage=1, assignments=["seed=3", "media.fps=1.5"])
    manifest = run_manifest(config, policy)
    assert (manifest.seed, manifest.model, manifest.media["fps"]) == (3, "tiny", 1.5)
    assert manifest.model_fingerprint == fingerprint(policy.model)
    assert manifest.versions["avatar"] == VERSION
    assert {"torch", "transformers", "av", "numpy"} <= set(library_versions())
    assert manifest.created.endswith("+00:00")
    assert manifest.threads == 1
