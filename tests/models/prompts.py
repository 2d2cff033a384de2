"""Prompts of every kind for the tiny model, and the plain forward to hold everything against."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from avatar_core.models.loading import load_policy
from avatar_core.models.policy import Prompt
from avatar_core.models.prompting import control_tokens, processor_inputs
from avatar_core.models.qwen_omni import QwenOmniPolicy
from avatar_core.models.thinker import parts_of
from avatar_core.types import Clip, MediaKind, MediaRef

SYSTEM = "You think."


def make_clip(
    kind: MediaKind,
    *,
    seed: int,
    seconds: float = 0.0,
    frames: int = 8,
    size: tuple[int, int] = (56, 56),
) -> Clip:
    """A clip of noise; `seconds` of sound, none when 0."""
    rng = np.random.default_rng(seed)
    count = {"video": frames, "image": 1, "audio": 0}[kind]
    pixels = rng.integers(0, 256, (count, *size, 3), dtype=np.uint8) if count else None
    sound = (rng.normal(size=int(16_000 * seconds)) * 0.1).astype(np.float32) if seconds else None
    return Clip(MediaRef(kind, "noise"), pixels, (), 4.0, sound, 16_000, "av", str(seed))


def make_prompts() -> dict[str, Prompt]:
    """One prompt of every kind, of different lengths."""
    silent = make_clip("video", seed=1)
    wide = make_clip("video", seed=2, frames=4, size=(56, 84))
    sounding = make_clip("video", seed=3, seconds=2.0)
    image = make_clip("image", seed=4, size=(84, 56))
    sound = make_clip("audio", seed=5, seconds=1.3)
    return {
        "video with its sound": Prompt(SYSTEM, (sounding, "What colour?")),
        "silent video": Prompt(None, (silent, "What colour is it?")),
        "two videos": Prompt(None, (silent, wide, "Which is wider?")),
        "image": Prompt(SYSTEM, (image, "What?")),
        "sound alone": Prompt(SYSTEM, (sound, "How many beeps?")),
        "text alone": Prompt(SYSTEM, ("Hello?",)),
        "video, image, sound": Prompt(SYSTEM, (silent, image, sound, "How many beeps?")),
        "image, then video with its sound": Prompt(None, (image, sounding, "Which is it?")),
        "video with its sound, then image": Prompt(None, (sounding, image, "Which is it?")),
        "texts between clips": Prompt(None, ("Is", image, "the sound of", sounding, "or of it?")),
    }


PROMPTS = make_prompts()
NAMES = list(PROMPTS)


def interleaved(name: str) -> bool:
    """Whether a prompt has a video that carries its sound."""
    return any(clip.ref.kind == "video" and clip.sound is not None for clip in PROMPTS[name].clips)


def tiny_policy(seed: int = 0) -> QwenOmniPolicy:
    """A fresh tiny policy whose weights a test may change."""
    return load_policy("tiny", seed=seed, device="cpu")


@contextmanager
def plain_towers(model: Any) -> Iterator[None]:
    """Give a model the family's own towers, as they are before a policy has it, in the block."""
    towers = parts_of(model).towers
    layers = [(block.attn, towers.visual.config) for block in towers.visual.blocks]
    layers += [(one.self_attn, towers.audio_tower.config) for one in towers.audio_tower.layers]
    configs = [attention.config for attention, _ in layers]
    patches = towers.visual.patch_embed.proj
    quick, patches.__class__ = patches.__class__, torch.nn.Conv3d
    for attention, config in layers:
        attention.config = config
    try:
        yield
    finally:
        patches.__class__ = quick
        for (attention, _), config in zip(layers, configs, strict=True):
            attention.config = config


def plain_inputs(policy: QwenOmniPolicy, name: str) -> dict[str, Any]:
    """What the family's own processor makes of a prompt, for the family's own forward."""
    inputs: dict[str, Any] = dict(processor_inputs(PROMPTS[name], policy.processor))
    if "video_second_per_grid" in inputs:
        inputs["video_second_per_grid"] = torch.as_tensor(inputs["video_second_per_grid"])
    return {**inputs, "use_audio_in_video": interleaved(name)}


def plain_logprobs(policy: QwenOmniPolicy, name: str, completion: Tensor) -> Tensor:
    """Log-probabilities by the family's forward on one prompt with one completion."""
    inputs = plain_inputs(policy, name)
    prompt = inputs["input_ids"]
    inputs["input_ids"] = torch.cat([prompt, completion[None]], dim=1)
    inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
    with plain_towers(policy.model):
        logits: Tensor = policy.model(**inputs).logits.float().log_softmax(-1)
    predicting = logits[0, prompt.shape[1] - 1 : -1]
    return predicting.gather(-1, completion[:, None]).squeeze(-1)


def all_logprobs(policy: QwenOmniPolicy, completions: dict[str, list[Tensor]]) -> list[Tensor]:
    """Log-probabilities through shared prefixes, all prompts in one batch, one tensor each."""
    prepared = [policy.prepare(PROMPTS[name]) for name in completions]
    scored = policy.logprobs(policy.encode(prepared), list(completions.values()))
    assert scored.logprobs.masked_select(~scored.mask).count_nonzero() == 0
    return [values[mask] for values, mask in zip(scored.logprobs, scored.mask, strict=True)]


def ragged_completions(policy: QwenOmniPolicy, seed: int = 0) -> dict[str, list[Tensor]]:
    """Random ordinary tokens for every prompt: groups of one to three, of 1 to 13 tokens."""
    generator = torch.Generator().manual_seed(seed)
    first = len(control_tokens(policy.processor))
    lengths = ([1, 7, 13], [5], [3, 1])
    return {
        name: [
            torch.randint(first, 512, (length,), generator=generator)
            for length in lengths[index % len(lengths)]
        ]
        for index, name in enumerate(PROMPTS)
    }
