from __future__ import annotations

import sys
from datetime import datetime

import pytest
import torch

from avatar_core.config.media import MediaConfig
from avatar_core.provenance import LIBRARIES, fingerprint, library_versions, new_manifest


def linear(seed: int = 0) -> torch.nn.Linear:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return torch.nn.Linear(40, 50)


def test_a_manifest_says_how_and_when(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["avatar", "eval", "scenes"])
    model = linear()
    manifest = new_manifest("m", model, seed=3, media=MediaConfig(fps=4.0))
    assert (manifest.model, manifest.seed, manifest.media["fps"]) == ("m", 3, 4.0)
    assert manifest.command == ("avatar", "eval", "scenes")
    assert manifest.device == "cpu"
    assert manifest.threads == torch.get_num_threads()
    assert manifest.model_fingerprint == fingerprint(model)
    assert datetime.fromisoformat(manifest.created).utcoffset() is not None
    assert {"avatar", "python", "torch", "transformers"} <= manifest.versions.keys()
    assert new_manifest("m", model, seed=3, media=None).media == {}


def test_versions_are_of_installed_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    assert library_versions().keys() <= set(LIBRARIES)
    monkeypatch.setattr("avatar_core.provenance.LIBRARIES", ("torch", "no-such-library"))
    assert library_versions().keys() == {"torch"}


def test_the_fingerprint_tells_weights_apart() -> None:
    assert fingerprint(linear()) == fingerprint(linear())
    assert fingerprint(linear()) != fingerprint(linear(1))
    # 2,000 weights are read at every second place; the bias of 50 as a whole.
    changed = linear()
    with torch.no_grad():
        changed.bias[49] += 1
    assert fingerprint(changed) != fingerprint(linear())
    renamed = torch.nn.Sequential(linear())
    assert fingerprint(renamed) != fingerprint(linear())


def test_the_fingerprint_tells_values_names_and_shapes() -> None:
    torch.manual_seed(0)
    layer = torch.nn.Linear(3, 2)
    first = fingerprint(layer)
    assert first == fingerprint(layer)
    assert len(first) == 32
    found = {first, fingerprint(torch.nn.Sequential(layer))}
    with torch.no_grad():
        layer.weight[1, 2] += 1e-6
    found.add(fingerprint(layer))
    turned = torch.nn.Linear(2, 3)
    turned.load_state_dict({"weight": layer.weight.reshape(3, 2), "bias": torch.zeros(3)})
    found.add(fingerprint(turned))
    assert len(found) == 4


def test_of_many_values_few_are_read() -> None:
    layer = torch.nn.Linear(5000, 1, bias=False)
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
