"""What the GPU's script measures: sizes, a policy of random weights, a prompt."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import torch
from transformers import Qwen2_5OmniThinkerConfig, Qwen2_5OmniThinkerForConditionalGeneration

from avatar_core.config.train import LoraSettings
from avatar_core.models.loading import attention_implementation, load_processor
from avatar_core.models.policy import Prompt
from avatar_core.models.qwen_omni import QwenOmniPolicy
from avatar_core.models.thinker import without_config_warnings
from tests.models.full_shape import FULL_7B, NARROW, Shape, configuration, write_processor
from tests.models.prompts import make_clip
from tests.performance.measuring import QUESTION, SYSTEM

PRECISION = torch.bfloat16
GIB = 1 << 30


class Sizes(NamedTuple):
    """What is measured.

    Attributes:
        shape: of the model.
        frames: of the clip.
        side: of a frame, in pixels.
        seconds: of the clip and its sound.
        group: completions.
        tokens: of each.
        matrix: rows and columns of the product that gives the matrix peak.
        copied: bytes of the copy that gives the memory bandwidth.
        repeats: rounds of each measurement.
    """

    shape: Shape
    frames: int
    side: int
    seconds: float
    group: int
    tokens: int
    matrix: int
    copied: int
    repeats: int


FULL = Sizes(
    # Depths and all other widths are the defaults of transformers, which are the published 7B's.
    Shape(text={}, vision={"hidden_size": FULL_7B.vision["hidden_size"]}, audio={}),
    frames=16, side=224, seconds=30.0, group=8, tokens=256,
    matrix=8192, copied=4 * GIB, repeats=3,
)  # fmt: skip
SMOKE = Sizes(
    NARROW, frames=4, side=56, seconds=1.0, group=2, tokens=3, matrix=256, copied=1 << 20, repeats=1
)


def random_thinker(shape: Shape, device: torch.device) -> Any:
    """A thinker of random weights, made on its device."""
    with without_config_warnings():
        config = Qwen2_5OmniThinkerConfig(**configuration(shape)["thinker_config"])
    kernels = attention_implementation(device, PRECISION)
    with torch.device(device):
        return Qwen2_5OmniThinkerForConditionalGeneration._from_config(
            config, dtype=PRECISION, attn_implementation=kernels
        ).eval()


def random_policy(shape: Shape, device: torch.device, seed: int) -> QwenOmniPolicy:
    """A policy of random weights with an adapter to be trained."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = random_thinker(shape, device)
    model.name_or_path = "random"
    with tempfile.TemporaryDirectory() as directory:
        write_processor(Path(directory))
        policy = QwenOmniPolicy(model, load_processor(Path(directory)))
    lora = LoraSettings()
    policy.add_adapter(lora.rank, lora.alpha, seed=seed)
    return policy


def prompt_of(sizes: Sizes, seed: int) -> Prompt:
    """A video of noise with its sound, and a question."""
    clip = make_clip(
        "video",
        seed=seed,
        seconds=sizes.seconds,
        frames=sizes.frames,
        size=(sizes.side, sizes.side),
    )
    return Prompt(SYSTEM, (dataclasses.replace(clip, fps=sizes.frames / sizes.seconds), QUESTION))
