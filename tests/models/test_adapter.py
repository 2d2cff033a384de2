"""Low-rank adapters: what is trained, what the reference is, and that plain peft reads them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import AutoPeftModel, PeftModel
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import Qwen2_5OmniThinkerForConditionalGeneration

from avatar_core.errors import CheckpointError, UsageError
from avatar_core.models.adapter import base_of, check_size
from avatar_core.models.loading import load_policy
from avatar_core.models.qwen_omni import QwenOmniPolicy
from tests.models.prompts import all_logprobs, ragged_completions, tiny_policy

pytestmark = [
    # peft 0.21 asks transformers 5.23 by a deprecated name; only tests call it outside adapter.py.
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning"),
]

RANK = 8


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("base")
    tiny_policy(seed=2).save(directory)
    return directory


def fresh(base: Path, *, rank: int = RANK, seed: int = 0) -> QwenOmniPolicy:
    policy = load_policy(str(base), device="cpu")
    policy.add_adapter(rank, 32, seed=seed)
    return policy


@torch.no_grad()
def disturb(policy: QwenOmniPolicy, seed: int = 0) -> None:
    generator = torch.Generator().manual_seed(seed)
    for parameter in policy.parameters():
        parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.05)


@torch.no_grad()
def values(policy: QwenOmniPolicy) -> Tensor:
    completions = ragged_completions(policy)
    shown = ("video with its sound", "image")
    return torch.cat(all_logprobs(policy, {name: completions[name] for name in shown}))


def test_every_linear_layer_but_the_head_gets_one_and_nothing_else_is_trained(base: Path) -> None:
    plain = load_policy(str(base), device="cpu").model
    linear = {
        name: layer
        for name, layer in plain.named_modules()
        if isinstance(layer, nn.Linear) and name != "lm_head"
    }
    policy = fresh(base)
    trained = {name for name, p in policy.model.named_parameters() if p.requires_grad}
    expected = {f"{name}.lora_{side}.default.weight" for name in linear for side in ("A", "B")}
    assert trained == expected
    parts = ("visual.blocks", "visual.merger", "audio_tower.layers", "layers.3.mlp", "self_attn")
    assert all(any(part in name for name in linear) for part in parts)
    # An update of a layer m x n has r (m + n) numbers.
    wanted = sum(RANK * (layer.in_features + layer.out_features) for layer in linear.values())
    assert sum(p.numel() for p in policy.parameters()) == wanted


def test_a_new_adapter_changes_nothing_and_hangs_on_its_seed_alone(base: Path) -> None:
    state = torch.get_rng_state()
    one, same, other = fresh(base), fresh(base), fresh(base, seed=1)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(values(one), values(load_policy(str(base), device="cpu")))
    pairs = list(zip(one.parameters(), same.parameters(), other.parameters(), strict=True))
    assert all(torch.equal(a, b) for a, b, _ in pairs)
    # Half of the matrices begin at zero.
    assert sum(not torch.equal(a, c) for a, _, c in pairs) == len(pairs) / 2


def test_the_reference_is_the_base(base: Path) -> None:
    policy = fresh(base)
    before = values(policy)
    disturb(policy)
    changed = values(policy)
    assert (changed - before).abs().max() > 0.1
    with policy.reference() as reference:
        assert torch.equal(values(reference), before)
    assert torch.equal(values(policy), changed)
    assert all(parameter.requires_grad for parameter in policy.parameters())


@torch.no_grad()
def test_plain_peft_loads_what_is_saved(base: Path, tmp_path: Path) -> None:
    policy = fresh(base)
    disturb(policy)
    wanted = values(policy)
    policy.save(tmp_path)
    written = {path.name for path in tmp_path.iterdir()}
    assert {"adapter_config.json", "adapter_model.safetensors", "tokenizer.json"} <= written
    assert written.isdisjoint({"README.md", "model.safetensors", "config.json"})

    model = Qwen2_5OmniThinkerForConditionalGeneration.from_pretrained(base)
    by_peft = PeftModel.from_pretrained(model, str(tmp_path)).get_base_model()
    by_auto = AutoPeftModel.from_pretrained(str(tmp_path)).get_base_model()
    by_transformers = Qwen2_5OmniThinkerForConditionalGeneration.from_pretrained(tmp_path)
    for thinker in (by_peft, by_auto, by_transformers):
        module: Any = thinker
        read = QwenOmniPolicy(module.eval(), policy.processor)
        torch.testing.assert_close(values(read), wanted, rtol=0, atol=1e-6)


def test_equal_adapters_write_equal_files(base: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        policy = fresh(base)
        disturb(policy)
        policy.save(tmp_path / name)
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        one, two = ((tmp_path / place / name).read_bytes() for place in ("one", "two"))
        assert one == two
    targets = json.loads((tmp_path / "one" / "adapter_config.json").read_text())["target_modules"]
    assert targets == sorted(targets)


def test_load_policy_finds_the_base_of_an_adapter(base: Path, tmp_path: Path) -> None:
    policy = fresh(base)
    disturb(policy)
    policy.save(tmp_path)
    read = load_policy(str(tmp_path), device="cpu")
    assert torch.equal(values(read), values(policy))
    assert read.parameters() == []


def test_restore_reads_back_what_was_saved(base: Path, tmp_path: Path) -> None:
    policy = fresh(base)
    before = values(policy)
    disturb(policy)
    policy.save(tmp_path)
    again = fresh(base, seed=9)
    again.restore(tmp_path)
    assert torch.equal(values(again), values(policy))
    with again.reference() as reference:
        assert torch.equal(values(reference), before)


def test_a_later_stage_continues_the_adapter_it_began_with(base: Path, tmp_path: Path) -> None:
    first = fresh(base)
    disturb(first)
    first.save(tmp_path / "one")
    began = values(first)
    second = load_policy(str(tmp_path / "one"), device="cpu")
    second.add_adapter(RANK, 32)
    names = [name for name, p in second.model.named_parameters() if p.requires_grad]
    assert len(names) == len(first.parameters())
    assert all(".default." in name for name in names)
    assert torch.equal(values(second), began)
    disturb(second, seed=5)
    ended = values(second)
    with second.reference() as reference:
        assert torch.equal(values(reference), began)
    assert torch.equal(values(second), ended)
    assert [n for n, p in second.model.named_parameters() if p.requires_grad] == names

    second.save(tmp_path / "two")
    assert not (tmp_path / "two" / "reference").exists()
    assert torch.equal(values(load_policy(str(tmp_path / "two"), device="cpu")), ended)
    # The base is the model itself, not the adapter of the stage before.
    config = json.loads((tmp_path / "two" / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == str(base.resolve())


def test_an_adapter_of_another_rank_is_not_continued(base: Path, tmp_path: Path) -> None:
    fresh(base, rank=4).save(tmp_path)
    policy = load_policy(str(tmp_path), device="cpu")
    with pytest.raises(UsageError, match="has rank 4 and alpha 32"):
        policy.add_adapter(RANK, 32)


def test_full_training_takes_the_adapter_into_the_weights(base: Path, tmp_path: Path) -> None:
    policy = fresh(base)
    disturb(policy)
    policy.save(tmp_path / "adapter")
    merged = load_policy(str(tmp_path / "adapter"), device="cpu")
    merged.merge_adapter()
    # W + (α/r) B A is summed once instead of applied in two products: rounding differs.
    torch.testing.assert_close(values(merged), values(policy), rtol=0, atol=1e-4)
    plain = load_policy(str(base), device="cpu")
    assert [p.shape for p in merged.parameters()] == [p.shape for p in plain.parameters()]
    merged.save(tmp_path / "full")
    read = load_policy(str(tmp_path / "full"), device="cpu")
    assert torch.equal(values(read), values(merged))


def test_without_an_adapter_merging_does_nothing(base: Path) -> None:
    policy = load_policy(str(base), device="cpu")
    before = [parameter.clone() for parameter in policy.parameters()]
    policy.merge_adapter()
    pairs = list(zip(before, policy.parameters(), strict=True))
    assert all(torch.equal(one, other) for one, other in pairs)
    assert len(pairs) > 100


def test_an_untrained_model_that_nobody_saved_takes_no_adapter() -> None:
    with pytest.raises(UsageError, match="saved base model"):
        tiny_policy().add_adapter(RANK, 32)


@pytest.fixture
def adapter(base: Path, tmp_path: Path) -> Path:
    """A saved adapter that a test may spoil."""
    fresh(base).save(tmp_path / "adapter")
    return tmp_path / "adapter"


def change_config(directory: Path, **changes: object) -> None:
    path = directory / "adapter_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_weights_under_the_names_of_other_releases_are_found(adapter: Path) -> None:
    wanted = values(load_policy(str(adapter), device="cpu"))
    path = adapter / "adapter_model.safetensors"
    weights = load_file(path)
    renamed = {
        name.replace("base_model.model.", "base_model.model.thinker.")
        .replace("model.language_model.", "model.")
        .replace("model.audio_tower.", "audio_tower.")
        .replace("model.visual.", "visual."): weight
        for name, weight in weights.items()
    }
    assert renamed.keys().isdisjoint(weights.keys())
    save_file(renamed, path)
    assert torch.equal(values(load_policy(str(adapter), device="cpu")), wanted)


def test_an_adapter_that_does_not_fit_is_refused(adapter: Path) -> None:
    path = adapter / "adapter_model.safetensors"
    weights = load_file(path)
    kept = dict(list(weights.items())[:-1])
    save_file(kept, path)
    with pytest.raises(CheckpointError, match="does not fit its base model"):
        load_policy(str(adapter))
    save_file({**weights, "base_model.model.other.lora_A.weight": torch.zeros(2)}, path)
    with pytest.raises(CheckpointError, match="does not fit its base model"):
        load_policy(str(adapter))
    save_file(weights, path)
    change_config(adapter, target_modules=["no_such_layer"])
    with pytest.raises(CheckpointError, match="does not fit its base model"):
        load_policy(str(adapter))


@pytest.mark.parametrize("change", [{"r": "8"}, {"lora_alpha": "x"}, {"rank_pattern": []}])
def test_a_configuration_of_other_types_is_refused(adapter: Path, change: dict[str, Any]) -> None:
    change_config(adapter, **change)
    with pytest.raises(CheckpointError, match=r"adapter_config\.json: does not fit"):
        load_policy(str(adapter))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"peft_type": "PREFIX_TUNING"}, "expected a LORA adapter"),
        ({"base_model_name_or_path": None}, "names no model"),
        ({"base_model_name_or_path": ""}, "names no model"),
        ({"megatron_config": {"a": 1}}, "megatron_config"),
    ],
)
def test_an_odd_configuration_is_refused(
    adapter: Path, changes: dict[str, object], message: str
) -> None:
    change_config(adapter, **changes)
    with pytest.raises(CheckpointError, match=message):
        load_policy(str(adapter))


def test_an_unreadable_configuration_is_refused(adapter: Path) -> None:
    for text in ("{", "[]", "[" * 100_000):
        (adapter / "adapter_config.json").write_text(text)
        with pytest.raises(CheckpointError, match="unreadable"):
            load_policy(str(adapter))


def test_pickled_adapter_weights_are_refused(adapter: Path) -> None:
    (adapter / "adapter_model.safetensors").rename(adapter / "adapter_model.bin")
    with pytest.raises(CheckpointError, match=r"adapter_model\.safetensors"):
        load_policy(str(adapter))


def test_torn_adapter_weights_are_refused(adapter: Path) -> None:
    path = adapter / "adapter_model.safetensors"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_policy(str(adapter))


def test_a_base_that_is_gone_is_named(adapter: Path, base: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(base, moved)
    change_config(adapter, base_model_name_or_path=str(moved))
    load_policy(str(adapter))
    shutil.rmtree(moved)
    with pytest.raises(CheckpointError, match=r"base model .*moved.* cannot be loaded"):
        load_policy(str(adapter))


def test_an_adapter_on_an_adapter_is_refused(adapter: Path) -> None:
    other = shutil.copytree(adapter, adapter.with_name("other"))
    change_config(adapter, base_model_name_or_path=str(other))
    with pytest.raises(CheckpointError, match="cannot be loaded"):
        load_policy(str(adapter))


def test_an_adapter_that_names_itself_is_refused(adapter: Path) -> None:
    for name in (str(adapter), f"{adapter}/../adapter/"):
        change_config(adapter, base_model_name_or_path=name)
        with pytest.raises(CheckpointError, match="names the adapter itself; name its base"):
            base_of(adapter)


def test_rank_and_alpha_are_told_without_the_weights(adapter: Path) -> None:
    (adapter / "adapter_model.safetensors").unlink()
    check_size(adapter, RANK, 32)
    for rank, alpha in ((RANK + 1, 32), (RANK, 16)):
        with pytest.raises(UsageError, match=f"alpha={alpha}: .*has rank 8 and alpha 32"):
            check_size(adapter, rank, alpha)


def test_the_processor_of_the_base_serves_an_adapter_without_one(adapter: Path) -> None:
    for path in adapter.iterdir():
        if not path.name.startswith("adapter_"):
            path.unlink()
    assert sorted(path.name for path in adapter.iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
    ]
    policy = load_policy(str(adapter), device="cpu")
    assert policy.decode(policy.encode_text("a red square")) == "a red square"
