"""Checkpoints in the layout of the published 7B and 3B: loaded, trained, handed to plain peft."""

from __future__ import annotations

import gc
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from safetensors import safe_open
from torch import Tensor
from transformers import Qwen2_5OmniThinkerForConditionalGeneration
from transformers.utils.logging import warning_once

import avatar_core
from avatar_core.models.loading import load_policy
from avatar_core.models.prompting import control_tokens, processor_inputs
from avatar_core.models.qwen_omni import QwenOmniPolicy
from avatar_core.models.thinker import parts_of
from avatar_core.rewards import REWARDS
from tests.models.full_shape import (
    CONTROL_TOKENS,
    FIRST_CONTROL_ID,
    FULL_3B,
    NARROW,
    OTHER_PARTS,
    published_name,
    write_checkpoint,
)
from tests.models.prompts import PROMPTS, plain_inputs, plain_towers
from tests.training.runs import small, spread

pytestmark = [
    # peft 0.21 asks transformers 5.23 by a deprecated name; only tests call it outside adapter.py.
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning"),
]

SHOWN = "video with its sound"
# One after the other, as each takes up to 5 GB of memory.
FULL = (pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.xdist_group("full shape"))


@pytest.fixture
def checkpoint(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A checkpoint of the shape a test names; removed at once, as it takes gigabytes."""
    directory = write_checkpoint(tmp_path / "omni", request.param)
    yield directory
    gc.collect()
    shutil.rmtree(directory)


@pytest.fixture(autouse=True)
def run_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AVATAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(REWARDS, "spread", spread)


def stored(directory: Path, name: str) -> Tensor:
    """A weight as the index of a checkpoint leads to it."""
    index = json.loads((directory / "model.safetensors.index.json").read_text())["weight_map"]
    with safe_open(directory / index[name], "pt") as file:
        weight: Tensor = file.get_tensor(name)
        return weight


def check_loaded(policy: QwenOmniPolicy, directory: Path) -> None:
    """Every weight is the file's, in bf16, and the processor agrees with the configuration."""
    index = json.loads((directory / "model.safetensors.index.json").read_text())["weight_map"]
    weights = policy.model.state_dict()
    assert {published_name(name) for name in weights} == index.keys() - OTHER_PARTS.keys()
    assert len(set(index.values())) > 1
    for name, weight in weights.items():
        assert weight.dtype == torch.bfloat16 and not weight.is_meta
        assert torch.equal(weight, stored(directory, published_name(name))), name
    ids = control_tokens(policy.processor)
    assert ids == {token: FIRST_CONTROL_ID + n for n, token in enumerate(CONTROL_TOKENS)}
    config: Any = policy.model.config
    assert (ids["<|AUDIO|>"], ids["<|IMAGE|>"], ids["<|VIDEO|>"]) == (
        config.audio_token_id,
        config.image_token_id,
        config.video_token_id,
    )
    assert config.text_config.rope_parameters["mrope_section"] == [16, 24, 24]
    assert parts_of(policy.model).head.weight is not policy.model.get_input_embeddings().weight


@torch.no_grad()
def logits(model: Any, policy: QwenOmniPolicy) -> Tensor:
    """Logits of a model by the family's own forward on a video with its sound."""
    values: Tensor = model(**plain_inputs(policy, SHOWN)).logits
    return values


def check_trained(directory: Path, out: Path) -> None:
    """One step of training an adapter, and the adapter under plain peft and transformers."""
    config = small(
        out, directory, "steps=1", "optim.lr=0.01", "held_out.samples=0", flags={"tuning": "lora"}
    )
    saved = avatar_core.train(config).checkpoint
    (row,) = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert row["step"] == 1 and row["grad_norm"] > 0
    named = json.loads((saved / "adapter_config.json").read_text())
    assert named["base_model_name_or_path"] == str(directory.resolve())
    assert not list(saved.glob("model*.safetensors"))
    gc.collect()

    ours = load_policy(str(saved), device="cpu")
    # Patches as the family embeds them, or the last of 16 bits may differ.
    with plain_towers(ours.model):
        mine = logits(ours.model, ours)
        with ours.reference() as reference:
            base = logits(reference.model, ours)
    inputs = processor_inputs(PROMPTS[SHOWN], ours.processor)
    assert {"input_features", "pixel_values_videos"} <= inputs.keys()
    # The step has moved what the model says.
    assert (mine - base).abs().max() > 0.01
    names = ours.model.state_dict().keys()
    # Two models of this width would not fit beside each other.
    del ours.model, reference
    gc.collect()

    thinker = Qwen2_5OmniThinkerForConditionalGeneration.from_pretrained(directory)
    plain: Any = PeftModel.from_pretrained(thinker, str(saved)).eval()
    assert plain.get_base_model().state_dict().keys() == names
    assert torch.equal(logits(plain.get_base_model(), ours), mine)


@pytest.mark.parametrize(
    "checkpoint",
    [
        pytest.param(NARROW, id="narrow"),
        # The 7B shape is loaded and trained by tests/training/test_memory.py.
        pytest.param(FULL_3B, id="3B", marks=FULL),
    ],
    indirect=True,
)
def test_the_thinker_loads_trains_a_step_and_its_adapter_is_read_by_plain_peft(
    checkpoint: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    warning_once.cache_clear()
    policy = load_policy(str(checkpoint), device="cpu", tuning="lora")
    assert caplog.messages == []
    check_loaded(policy, checkpoint)
    del policy
    gc.collect()
    check_trained(checkpoint, tmp_path / "run")
