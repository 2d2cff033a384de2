"""From a name to a policy: what is loaded, what is refused, and in which words."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import Qwen2_5OmniConfig, Qwen2_5OmniForConditionalGeneration

from avatar_core.errors import CheckpointError, UsageError
from avatar_core.manifest import write_manifest
from avatar_core.models.loading import attention_implementation, load_policy, weight_precision
from avatar_core.models.qwen_omni import QwenOmniPolicy
from avatar_core.models.tiny import tiny_model, tiny_processor
from tests.models.prompts import all_logprobs, ragged_completions, tiny_policy


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("tiny")
    tiny_policy(seed=3).save(directory)
    return directory


@pytest.fixture
def checkpoint(saved: Path, tmp_path: Path) -> Path:
    """A saved tiny model that a test may spoil."""
    return Path(shutil.copytree(saved, tmp_path / "model"))


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))


def change_config(directory: Path, **values: object) -> None:
    path = directory / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


class Bomb:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.path,)


@torch.no_grad()
def test_the_thinker_is_taken_out_of_a_whole_checkpoint(tmp_path: Path) -> None:
    processor = tiny_processor()
    thinker = tiny_model(processor.tokenizer, 3)
    config = Qwen2_5OmniConfig(thinker_config=thinker.config.to_dict(), enable_audio_output=False)
    with torch.device("meta"):
        whole = Qwen2_5OmniForConditionalGeneration(config)
    whole.thinker = thinker
    whole.save_pretrained(tmp_path)
    processor.save_pretrained(tmp_path)
    names = load_file(tmp_path / "model.safetensors")
    assert all(name.startswith("thinker.") for name in names)
    assert json.loads((tmp_path / "config.json").read_text())["model_type"] == "qwen2_5_omni"
    read, wanted = load_policy(str(tmp_path), device="cpu"), tiny_policy(seed=3)
    completions = ragged_completions(wanted)
    pairs = zip(all_logprobs(read, completions), all_logprobs(wanted, completions), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)


def test_a_run_directory_gives_its_newest_sound_checkpoint(saved: Path, tmp_path: Path) -> None:
    for step in (5, 10, 20):
        directory = tmp_path / "checkpoints" / f"step-{step}"
        shutil.copytree(saved, directory)
        write_manifest(directory)
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "checkpoints" / "step-20" / "model.safetensors").write_bytes(b"torn")
    policy = load_policy(str(tmp_path), device="cpu")
    assert policy.model.name_or_path == str((tmp_path / "checkpoints" / "step-10").resolve())


@pytest.mark.parametrize("key", ["auto_map", "trust_remote_code", "custom_pipelines"])
def test_a_checkpoint_that_asks_to_run_code_is_refused(checkpoint: Path, key: str) -> None:
    change_config(checkpoint, **{key: {"AutoModel": "modeling.Evil"}})
    (checkpoint / "modeling.py").write_text("raise SystemExit('ran')")
    with pytest.raises(CheckpointError, match=key):
        load_policy(str(checkpoint))


def test_another_architecture_is_refused(checkpoint: Path) -> None:
    change_config(checkpoint, model_type="llama")
    with pytest.raises(CheckpointError, match="model_type 'llama' is not supported"):
        load_policy(str(checkpoint))


@pytest.mark.parametrize("text", ["{", "[]", "null", "[" * 100_000])
def test_an_unreadable_configuration_is_refused(checkpoint: Path, text: str) -> None:
    (checkpoint / "config.json").write_text(text)
    with pytest.raises(CheckpointError, match=r"config\.json: unreadable .*use another checkpoint"):
        load_policy(str(checkpoint))


def test_pickled_weights_are_refused_unread(checkpoint: Path, tmp_path: Path) -> None:
    (checkpoint / "model.safetensors").unlink()
    sentinel = tmp_path / "exploded"
    (checkpoint / "pytorch_model.bin").write_bytes(pickle.dumps(Bomb(sentinel)))
    with pytest.raises(CheckpointError, match=r"no \*\.safetensors"):
        load_policy(str(checkpoint))
    assert not sentinel.exists()


def test_a_missing_weight_is_named(checkpoint: Path) -> None:
    path = checkpoint / "model.safetensors"
    weights = load_file(path)
    del weights["visual.merger.mlp.0.bias"]
    save_file(weights, path, metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match=r"lacks 1 weights .*visual\.merger\.mlp\.0\.bias"):
        load_policy(str(checkpoint))


def test_a_weight_of_another_shape_is_named(checkpoint: Path) -> None:
    path = checkpoint / "model.safetensors"
    weights = load_file(path)
    weights["visual.merger.mlp.0.bias"] = torch.zeros(3)
    save_file(weights, path, metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match=r"another shape.*visual\.merger\.mlp\.0\.bias"):
        load_policy(str(checkpoint))


def test_a_missing_tokenizer_is_an_error_of_the_checkpoint(checkpoint: Path) -> None:
    (checkpoint / "tokenizer.json").unlink()
    (checkpoint / "tokenizer_config.json").unlink()
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_policy(str(checkpoint))


def test_torn_weights_are_an_error_of_the_checkpoint(checkpoint: Path) -> None:
    path = checkpoint / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_policy(str(checkpoint))


def test_a_directory_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="neither a model") as caught:
        load_policy(str(tmp_path))
    assert caught.value.exit_code == 4


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("spec", ["nobody/nothing", "runs/of/no/one", "../elsewhere", "no such"])
def test_what_is_nowhere_names_the_ways_out(spec: str) -> None:
    with pytest.raises(UsageError, match="neither a directory nor reachable") as caught:
        load_policy(spec)
    assert caught.value.exit_code == 2
    for way in ("checkpoint directory", "online", "--model tiny"):
        assert way in str(caught.value)


def test_flash_attention_is_for_towers_in_bf16_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("avatar_core.models.loading.is_flash_attn_2_available", lambda: True)
    cases: dict[tuple[str, Any], str] = {
        ("cuda", torch.bfloat16): "flash_attention_2",
        ("cuda", torch.float32): "sdpa",
        ("cpu", torch.bfloat16): "sdpa",
        ("cpu", "auto"): "sdpa",
    }
    for (device, precision), tower in cases.items():
        kernels = attention_implementation(torch.device(device), precision)
        assert (kernels["vision_config"], kernels["audio_config"]) == (tower, tower)
        assert (kernels["text_config"], kernels[""]) == ("sdpa", "sdpa")


def test_weights_that_are_trained_are_in_fp32() -> None:
    cases: dict[tuple[str, Any], object] = {
        ("cuda", "full"): torch.float32,
        ("cpu", "full"): torch.float32,
        ("cuda", "lora"): torch.bfloat16,
        ("cuda", None): torch.bfloat16,
        ("cpu", "lora"): "auto",
        ("cpu", None): "auto",
    }
    for (device, tuning), precision in cases.items():
        assert weight_precision(torch.device(device), tuning) == precision


def test_a_bf16_checkpoint_is_trained_in_fp32_and_its_adapter_too(tmp_path: Path) -> None:
    half = load_policy("tiny", device="cpu")
    model: Any = half.model
    model.to(torch.bfloat16)
    half.save(tmp_path)

    def kinds(policy: QwenOmniPolicy) -> dict[bool, set[torch.dtype]]:
        """Precisions of the weights that are trained and of those that are not."""
        found: dict[bool, set[torch.dtype]] = {True: set(), False: set()}
        for parameter in policy.model.parameters():
            found[parameter.requires_grad].add(parameter.dtype)
        return found

    full = load_policy(str(tmp_path), device="cpu", tuning="full")
    assert kinds(full) == {True: {torch.float32}, False: set()}
    lora = load_policy(str(tmp_path), device="cpu", tuning="lora")
    lora.add_adapter(2, 4)
    assert kinds(lora) == {True: {torch.float32}, False: {torch.bfloat16}}
    # A step of 1e-5 on a weight of 1 is lost in bf16, whose numbers there lie 2⁻⁸ apart.
    assert float(torch.tensor(1.0, dtype=torch.bfloat16) - 1e-5) == 1.0
    assert float(torch.tensor(1.0) - 1e-5) < 1.0
