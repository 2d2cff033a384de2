"""Formulas of what passes hold, against what torch keeps for the backward pass."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn
from transformers import Qwen2_5OmniThinkerConfig, Qwen2_5OmniThinkerForConditionalGeneration

from avatar_core.models.policy import Encoded, Prepared, Prompt
from avatar_core.models.qwen_omni import QwenOmniPolicy
from avatar_core.models.thinker import parts_of
from avatar_core.models.tiny import tiny_config, tiny_processor
from avatar_core.training.memory_inputs import thinker_of
from avatar_core.training.memory_layers import (
    Layers,
    Pass,
    Precision,
    attention_bytes,
    cache_bytes,
    draw_bytes,
    layer_bytes,
    logit_bytes,
    text_bytes,
    tower_bytes,
)
from tests.models.prompts import make_clip

# Sizes that the formulas were not derived on, so that each symbol has a value of its own.
TEXT = {
    "num_hidden_layers": 3,
    "hidden_size": 160,
    "intermediate_size": 416,
    "num_attention_heads": 5,
    "num_key_value_heads": 1,
}
VISION = {"depth": 4, "hidden_size": 96, "intermediate_size": 208, "out_hidden_size": 160}
AUDIO = {"encoder_layers": 3, "d_model": 72, "encoder_ffn_dim": 200, "output_dim": 160}
WITHIN = 0.03
CASES = {
    "full": (torch.float32, 0),
    "adapter": (torch.float32, 6),
    "adapter on 16 bits": (torch.bfloat16, 6),
}


def odd_policy(dtype: torch.dtype, rank: int) -> QwenOmniPolicy:
    processor = tiny_processor()
    document = tiny_config(processor.tokenizer).to_dict()
    for part, sizes in (("text", TEXT), ("vision", VISION), ("audio", AUDIO)):
        document[f"{part}_config"] |= sizes
    document["text_config"].pop("layer_types")
    model: Any = Qwen2_5OmniThinkerForConditionalGeneration._from_config(
        Qwen2_5OmniThinkerConfig(**document), attn_implementation="sdpa", dtype=dtype
    ).eval()
    model.name_or_path = "odd"
    policy = QwenOmniPolicy(model, processor)
    if rank:
        policy.add_adapter(rank, 16)
    return policy


class Kept(NamedTuple):
    """Bytes kept for the backward pass, and of what."""

    towers: int
    text: int
    batch: Pass


class Keeper:
    """Adds up what is kept, weights left out, by the part of the model that is running."""

    def __init__(self, policy: QwenOmniPolicy) -> None:
        self.bytes: dict[str, int] = defaultdict(int)
        self._seen = {p.untyped_storage().data_ptr() for p in policy.model.parameters()}
        self._alive: list[Tensor] = []
        self._part = ["outside"]
        parts = parts_of(policy.model)
        towers = {"towers": [parts.towers.visual, parts.towers.audio_tower], "text": [parts.text]}
        for name, modules in towers.items():
            for module in modules:
                self._watch(module, name)

    def _watch(self, module: nn.Module, name: str) -> None:
        module.register_forward_pre_hook(lambda *_: self._part.append(name))
        module.register_forward_hook(lambda *_: self._part.pop() and None)

    def keep(self, tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in self._seen:
            self._seen.add(storage.data_ptr())
            self.bytes[self._part[-1]] += storage.nbytes()
            # Else its place could be taken by another.
            self._alive.append(tensor)
        return tensor


def kept_by(policy: QwenOmniPolicy) -> Kept:
    # Windows of two lengths in both towers: of one, attention's results are not laid out again.
    clips = [make_clip("video", seed=s, frames=12, size=(112, 84), seconds=3.5) for s in range(3)]
    prompts = [policy.prepare(Prompt("You think.", (clip, "What? " * 20))) for clip in clips]
    completions = [[torch.arange(40, 110) for _ in range(4)] for _ in prompts]
    keeper = Keeper(policy)
    with torch.autograd.graph.saved_tensors_hooks(keeper.keep, lambda tensor: tensor):
        encoded = policy.encode(prompts)
        policy.logprobs(encoded, completions)
    return Kept(keeper.bytes["towers"], keeper.bytes["text"], pass_of(prompts, encoded))


def pass_of(prompts: list[Prepared], encoded: Encoded) -> Pass:
    patches = sum(0 if p.pixels is None else len(p.pixels) for p in prompts)
    frames = sum(0 if p.feature_mask is None else int(p.feature_mask.sum()) for p in prompts)
    return Pass(len(prompts), encoded.lengths[0], 4, 70, patches, frames)


@pytest.mark.parametrize("again", [False, True], ids=["kept", "computed again"])
@pytest.mark.parametrize("case", CASES)
def test_what_is_kept_is_what_the_formulas_say(case: str, again: bool) -> None:
    dtype, rank = CASES[case]
    policy = odd_policy(dtype, rank)
    if again:
        policy.recompute_activations()
    kept = kept_by(policy)
    model, precision = thinker_of(policy.model, 0), Precision(dtype.itemsize, rank)
    towers = tower_bytes(model, kept.batch, precision, again)
    assert towers == pytest.approx(kept.towers, rel=WITHIN)
    # The encoding itself is made outside the language model.
    encoded = precision.width * kept.batch.rows * kept.batch.prefix * TEXT["hidden_size"]
    text = text_bytes(model, kept.batch, precision, again) - encoded
    # Computed again, the mask is held where these hooks do not see it.
    text += 0 if again else attention_bytes(model.text, kept.batch, precision, again)
    assert text == pytest.approx(kept.text, rel=WITHIN)


def test_a_layer_in_numbers() -> None:
    layers = Layers(depth=1, hidden=10, keys=5, inner=20, gated=True)
    # A token, 4 bytes a number. Norms 2 x (10 + 10), queries, keys, values and results
    # 10 + 5 + 5 + 10, inner 3 x 20, inputs of linear layers 10 + 10 + 10 + 20: 180 numbers.
    assert layer_bytes(layers, 1, Precision(4, 0)) == 4 * 180
    # An adapter of rank 2: no gains trained, 7 products of 2 numbers more.
    assert layer_bytes(layers, 1, Precision(4, 2)) == 4 * (180 - 20 + 7 * 2)


def test_logits_and_caches_in_numbers() -> None:
    model = thinker_of(odd_policy(torch.float32, 0).model, 0)._replace(vocabulary=152_064)
    # A chunk is 441 rows at most.
    assert logit_bytes(model, 100) == 100 * 152_064 * 4
    assert logit_bytes(model, 5000) == 441 * 152_064 * 4
    batch = Pass(rows=2, prefix=100, branches=4, length=65, patches=0, frames=0)
    # One key head of 32: keys and values of a token in a layer take 2 x 32 x 4 bytes. In 3 layers
    # 2 prompts of 100 tokens and 8 completions with room for 128, which one layer copies.
    # Of 8 x 65 completion tokens' 5 query heads a mask over 100 + 65 tokens; in each of 3 layers
    # queries and results of 160, keys and values of 32 with the prefix's before them.
    mask = 4 * 8 * 65 * 5 * 165
    assert attention_bytes(model.text, batch, Precision(4, 0), again=True) == mask
    layers = 3 * 4 * 8 * (65 * 2 * 160 + 165 * 2 * 32)
    assert attention_bytes(model.text, batch, Precision(4, 0), again=False) == mask + layers
    assert cache_bytes(model, batch, Precision(4, 0)) == 256 * (3 * (200 + 1024) + 1024)
    assert draw_bytes(model, batch, Precision(4, 0), greedy=False) == 8 * 152_064 * 28
    assert draw_bytes(model, batch, Precision(2, 8), greedy=True) == 8 * 152_064 * 14
