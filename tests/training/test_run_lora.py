"""Whole runs that train a low-rank adapter: files, exact resume, one stage after another."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
import torch

from avatar_core.errors import Stopped, UsageError
from avatar_core.files import read_json
from avatar_core.models.loading import load_policy
from avatar_core.models.policy import Prompt
from avatar_core.models.qwen_omni import QwenOmniPolicy
from avatar_core.training.opening import choose_trained
from avatar_core.training.run import train
from tests.training.runs import STEPS, at_step, same_tensors, small, tensors, timeless

ADAPTER = "adapter_model.safetensors"
CONFIG = "adapter_config.json"
LORA = {"flags": {"tuning": "lora"}}


@torch.no_grad()
def logprobs(policy: QwenOmniPolicy) -> torch.Tensor:
    encoded = policy.encode([policy.prepare(Prompt(None, ("Which colour?",)))])
    return policy.logprobs(encoded, [[torch.arange(20, 60)]]).logprobs


def test_a_run_trains_saves_resumes_and_hands_on_an_adapter(base: Path, tmp_path: Path) -> None:
    whole, broken, later = tmp_path / "whole", tmp_path / "broken", tmp_path / "later"
    finished = train(small(whole, base, **LORA))
    files = {path.name for path in finished.checkpoint.iterdir()}
    assert {ADAPTER, CONFIG, "tokenizer.json", "manifest.json", "trainer"} <= files
    assert files.isdisjoint({"model.safetensors", "config.json", "README.md"})
    named = read_json(finished.checkpoint / CONFIG)
    assert named["base_model_name_or_path"] == str(base.resolve())
    assert (named["r"], named["lora_alpha"]) == (8, 32)
    # Half of an adapter begins at zero; training moved it.
    weights = tensors(whole, STEPS, ADAPTER)
    queries = [w for n, w in weights.items() if "q_proj.lora_B" in n and "audio" not in n]
    assert len(queries) == 4
    assert all(bool(weight.any()) for weight in queries)

    def stop() -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    config = small(broken, base, **LORA)
    with pytest.raises(Stopped):
        train(config, watcher=at_step(4, stop))
    train(config)
    assert same_tensors(tensors(broken, STEPS, ADAPTER), weights)
    assert timeless(broken) == timeless(whole)

    # The next stage continues the adapter; its reference is where it began.
    second = train(small(later, whole, "steps=1", stage=2, **LORA))
    assert read_json(second.checkpoint / CONFIG) == named
    assert not same_tensors(tensors(later, 1, ADAPTER), weights)
    began = logprobs(load_policy(str(whole)))
    assert not torch.equal(logprobs(load_policy(str(later))), began)
    policy = load_policy(str(whole))
    choose_trained(policy, small(later, whole, **LORA))
    with policy.reference() as reference:
        assert torch.equal(logprobs(reference), began)


def test_full_training_after_an_adapter_trains_every_weight(base: Path, tmp_path: Path) -> None:
    policy = load_policy(str(base))
    choose_trained(policy, small(tmp_path, base, **LORA))
    policy.save(tmp_path / "adapter")
    again = load_policy(str(tmp_path / "adapter"))
    choose_trained(again, small(tmp_path, base))
    plain = load_policy(str(base)).parameters()
    assert [p.shape for p in again.parameters()] == [p.shape for p in plain]


def test_an_adapter_needs_a_model_on_disk(tmp_path: Path) -> None:
    policy = load_policy("tiny")
    with pytest.raises(UsageError, match="saved base model"):
        choose_trained(policy, small(tmp_path, tmp_path, stage=0, **LORA))
