"""Quick towers against the family's own: features, gradients, calls; windows of unequal length."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from peft import LoraConfig
from peft.tuners.lora import Conv3d
from torch import Tensor, nn

from avatar_core.models.policy import Prompt
from avatar_core.models.qwen_omni import QwenOmniPolicy
from avatar_core.models.thinker import parts_of
from avatar_core.models.towers import WINDOWS, Patches, quicken
from tests.models.prompts import PROMPTS, make_clip, plain_towers, tiny_policy

# 6 x 10 patches in windows of 4 x 4 make 4 x 4, 4 x 2, 2 x 4 and 2 x 2; sounds of 2.7 s have a
# last window of their own length.
RAGGED = Prompt(None, (make_clip("video", seed=6, seconds=2.7, size=(84, 140)), "What?"))
CASES = {
    "one clip": [PROMPTS["silent video"]],
    "unequal windows": [RAGGED],
    "prompts of every kind": [*PROMPTS.values(), RAGGED],
}


def features(policy: QwenOmniPolicy, prompts: list[Prompt]) -> tuple[Tensor, Tensor]:
    """Embeddings of prompts, towers merged in, and the gradient of a weighted sum of them."""
    found = policy.encode([policy.prepare(prompt) for prompt in prompts]).embeddings
    weights = torch.randn(found.shape, generator=torch.Generator().manual_seed(1))
    towers = parts_of(policy.model).towers
    parameters = [*towers.visual.parameters(), *towers.audio_tower.parameters()]
    gradients = torch.autograd.grad(
        (found * weights).sum(), parameters, allow_unused=True, materialize_grads=True
    )
    return found.detach(), torch.cat([one.flatten() for one in gradients])


@pytest.mark.parametrize("name", CASES)
def test_features_and_gradients_are_the_familys(name: str) -> None:
    policy = tiny_policy()
    policy.model.double()
    got, slopes = features(policy, CASES[name])
    with plain_towers(policy.model):
        wanted, wanted_slopes = features(policy, CASES[name])
    assert (got - wanted).abs().max() <= 1e-12 * wanted.abs().max()
    assert (slopes - wanted_slopes).norm() <= 1e-12 * wanted_slopes.norm()
    assert wanted_slopes.norm() > 1


@pytest.mark.parametrize("name", CASES)
def test_windows_change_nothing_to_the_bit(name: str) -> None:
    policy = tiny_policy()
    got, slopes = features(policy, CASES[name])
    with plain_towers(policy.model):
        parts_of(policy.model).towers.visual.patch_embed.proj.__class__ = Patches
        wanted, wanted_slopes = features(policy, CASES[name])
    assert torch.equal(got, wanted)
    assert torch.equal(slopes, wanted_slopes)


def test_patches_are_a_convolution_with_a_bias_or_without() -> None:
    pixels = torch.randn(7, 3, 2, 4, 4, dtype=torch.float64)
    for bias in (False, True):
        plain = nn.Conv3d(3, 5, (2, 4, 4), stride=(2, 4, 4), bias=bias, dtype=torch.float64)
        quick = copy.deepcopy(plain)
        quick.__class__ = Patches
        assert quick(pixels).shape == plain(pixels).shape == (7, 5, 1, 1, 1)
        assert torch.allclose(quick(pixels), plain(pixels), rtol=0, atol=1e-13)


def calls(monkeypatch: pytest.MonkeyPatch, policy: QwenOmniPolicy, prompt: Prompt) -> list[int]:
    """Windows in each call of the kernel while a prompt is encoded."""
    seen: list[int] = []
    kernel = nn.functional.scaled_dot_product_attention

    def counted(query: Tensor, *others: Any, **options: Any) -> Tensor:
        seen.append(len(query))
        found: Tensor = kernel(query, *others, **options)
        return found

    with monkeypatch.context() as patch, torch.no_grad():
        patch.setattr(nn.functional, "scaled_dot_product_attention", counted)
        policy.encode([policy.prepare(prompt)])
    return seen


def test_windows_of_one_length_are_one_call(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = tiny_policy()
    # 8 frames are 4 pairs of 8 x 8 patches: 16 windows of 4 x 4, then 4 whole pictures.
    prompt = Prompt(None, (make_clip("video", seed=1, size=(112, 112)), "What?"))
    assert calls(monkeypatch, policy, prompt) == [16, 4]
    with plain_towers(policy.model):
        assert calls(monkeypatch, policy, prompt) == [1] * 20
    # 4 pairs with windows of 16 (2), 8 (2 + 1) and 4 tokens (1), then 4 whole pictures; 2.7 s of
    # sound are a window of 2 s and one of 0.7 s in each of two layers.
    assert calls(monkeypatch, policy, RAGGED) == [8, 12, 4, 4, 1, 1, 1, 1]


def test_a_copy_attends_likewise_and_what_is_saved_stays() -> None:
    policy = tiny_policy()
    towers = parts_of(copy.deepcopy(policy.model)).towers
    assert type(towers.visual.patch_embed.proj) is Patches
    assert towers.visual.config._attn_implementation == "sdpa"
    assert towers.visual.blocks[0].attn.config._attn_implementation == WINDOWS


def test_patches_that_an_adapter_changes_are_left_alone() -> None:
    towers = parts_of(tiny_policy().model).towers
    plain = nn.Conv3d(3, 8, (2, 14, 14), stride=(2, 14, 14))
    wrapped = Conv3d(plain, "default", LoraConfig(r=2, lora_alpha=4), r=2, lora_alpha=4)
    towers.visual.patch_embed.proj = wrapped
    quicken(towers)
    assert type(wrapped) is Conv3d
    assert type(plain) is nn.Conv3d


def test_other_attention_is_left_alone() -> None:
    model = tiny_policy().model
    towers = parts_of(model).towers
    with plain_towers(model):
        towers.visual.config._attn_implementation = "eager"
        quicken(towers)
        assert towers.visual.blocks[0].attn.config is towers.visual.config
        assert towers.audio_tower.layers[0].self_attn.config._attn_implementation == WINDOWS
