"""What a memory estimate is made from: the sizes of the model and of some prepared prompts.

No weight is loaded. The model is built without memory, which counts its parameters and prepares
prompts as the run will; media of a few samples are decoded for that, and a few scenes rendered.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

import torch
from huggingface_hub import try_to_load_from_cache
from safetensors import safe_open
from torch import nn
from transformers import Qwen2_5OmniThinkerConfig, Qwen2_5OmniThinkerForConditionalGeneration

from avatar_core.asking import Asked, Asker, look_at
from avatar_core.config.train import TrainConfig
from avatar_core.data.scenes import scene_samples
from avatar_core.media import MediaLoader
from avatar_core.media.cache import clip_bytes
from avatar_core.models.adapter import base_of
from avatar_core.models.loading import (
    CONFIG,
    has_processor,
    is_adapter,
    load_processor,
    local_checkpoint,
)
from avatar_core.models.policy import Prepared
from avatar_core.models.qwen_omni import QwenOmniPolicy
from avatar_core.models.thinker import parts_of, without_config_warnings
from avatar_core.models.tiny import tiny_config, tiny_processor
from avatar_core.training.data import SCENES_SEED, Data
from avatar_core.training.memory import MemoryEstimate, estimate
from avatar_core.training.memory_layers import FLOAT, Layers, Precision, Thinker
from avatar_core.training.memory_load import PromptSize, load_of
from avatar_core.training.opening import needs_reference
from avatar_core.training.telemetry import peak_memory_bytes
from avatar_core.types import Sample

LOOKED_AT = 8
"""Samples whose prompts are prepared, evenly spaced over the data."""


class Empty(NamedTuple):
    """A model without its weights."""

    policy: QwenOmniPolicy
    """On the device `meta`; it can prepare prompts."""
    width: int
    """Bytes of a number of its files."""


def estimate_runs(
    configs: Sequence[TrainConfig], data: Sequence[Data | None]
) -> list[MemoryEstimate | None]:
    """The memory of runs that follow each other; `None` where the model is not on this machine.

    Args:
        configs: of the runs; one that goes on from a run not yet made is taken to be of its size.
        data: their samples; `None` for scenes.
    """
    found: list[MemoryEstimate | None] = []
    name: str | None = None
    base = 0
    for config, samples in zip(configs, data, strict=True):
        made = config.init is not None and not Path(config.init).is_dir()
        name = (name or config.model) if made else config.init or config.model
        model = empty_model(name)
        # Before prompts are prepared, which leaves its traces.
        base = base or process_memory().now
        prompt = model and prompt_size(model.policy, config, samples, base)
        found.append(model and prompt and estimate_run(config, model, prompt, samples, base))
    return found


def estimate_run(
    config: TrainConfig, model: Empty, prompt: PromptSize, data: Data | None, base: int
) -> MemoryEstimate:
    """The memory of one run; see `estimate_runs`."""
    gpu = torch.cuda.is_available()
    width = FLOAT if config.tuning == "full" else 2 if gpu else model.width
    precision = Precision(width, config.lora.rank if config.tuning == "lora" else 0)
    count = config.rollout.pool if data is None else len(data.training)
    return estimate(
        thinker_of(model.policy.model, precision.rank),
        precision,
        load_of(config, prompt, count, reference=needs_reference(config)),
        base=base,
        gpu=gpu,
    )


@lru_cache(maxsize=1)
def empty_model(spec: str) -> Empty | None:
    """A model without weights: `tiny`, a directory, or a hub id that was fetched before."""
    if spec == "tiny":
        processor = tiny_processor()
        return Empty(QwenOmniPolicy(_built(tiny_config(processor.tokenizer)), processor), FLOAT)
    directory = directory_of(spec)
    if directory is None:
        return None
    with without_config_warnings():
        config = Qwen2_5OmniThinkerConfig.from_pretrained(directory, local_files_only=True)
    policy = QwenOmniPolicy(_built(config), load_processor(directory))
    return Empty(policy, stored_width(directory))


def directory_of(spec: str) -> Path | None:
    """Where the files of a model are, an adapter's base for the adapter; `None` if nowhere here."""
    if Path(spec).is_dir():
        checkpoint = local_checkpoint(Path(spec))
        return directory_of(base_of(checkpoint)) if is_adapter(checkpoint) else checkpoint
    fetched = try_to_load_from_cache(spec, CONFIG)
    directory = Path(fetched).parent if isinstance(fetched, str) else None
    whole = directory and has_processor(directory) and any(directory.glob("*.safetensors"))
    return directory if whole else None


def stored_width(directory: Path) -> int:
    """Bytes of a number of a checkpoint's weights, by the first of them."""
    with safe_open(min(directory.glob("*.safetensors")), "pt") as file:
        name = min(file.keys())
        return 2 if file.get_slice(name).get_dtype() in ("BF16", "F16") else FLOAT


def _built(config: Qwen2_5OmniThinkerConfig) -> Qwen2_5OmniThinkerForConditionalGeneration:
    with torch.device("meta"):
        model: Any = Qwen2_5OmniThinkerForConditionalGeneration(config)
    thinker: Qwen2_5OmniThinkerForConditionalGeneration = model.eval()
    return thinker


def thinker_of(model: Qwen2_5OmniThinkerForConditionalGeneration, rank: int) -> Thinker:
    """Sizes of a model, with an adapter of this rank on all linear layers but the head, if any."""
    config: Any = model.config
    text, vision, audio = config.text_config, config.vision_config, config.audio_config
    parameters = sum(parameter.numel() for parameter in model.parameters())
    head = parts_of(model).head
    linear = [m for m in model.modules() if isinstance(m, nn.Linear) and m is not head]
    adapter = sum(rank * (layer.in_features + layer.out_features) for layer in linear)
    return Thinker(
        text=Layers(
            text.num_hidden_layers,
            text.hidden_size,
            text.hidden_size // text.num_attention_heads * text.num_key_value_heads,
            text.intermediate_size,
            gated=True,
        ),
        vision=Layers(
            vision.depth, *(vision.hidden_size,) * 2, vision.intermediate_size, gated=True
        ),
        audio=Layers(
            audio.encoder_layers, *(audio.d_model,) * 2, audio.encoder_ffn_dim, gated=False
        ),
        vocabulary=text.vocab_size,
        patch=vision.in_channels * vision.temporal_patch_size * vision.patch_size**2,
        mels=audio.num_mel_bins,
        parameters=parameters,
        trained=adapter if rank else parameters,
    )


def prompt_size(
    policy: QwenOmniPolicy, config: TrainConfig, data: Data | None, base: int
) -> PromptSize | None:
    """The size of a run's prompts, from a few of them; `None` if none of those can be prepared.

    Args:
        policy: prepares them.
        config: of the run.
        data: its samples; `None` for scenes.
        base: bytes of the process before.
    """
    before = process_memory().highest
    with tempfile.TemporaryDirectory() as folder, MediaLoader(config.media) as loader:
        asker = Asker(policy, loader, system_prompt=config.rollout.system_prompt)
        looks = [look_at(asker, [sample])[0] for sample in some_samples(config, data, Path(folder))]
    seen = [one for one in looks if isinstance(one, Asked)]
    if not seen:
        return None
    prompts = [one.prepared for one in seen]
    traces = [policy.encode_text(text) for one in seen for text in one.sample.responses]
    held = sum(map(prepared_bytes, prompts))
    after = process_memory()
    reached = after.highest if after.highest > before else after.now
    return PromptSize(
        tokens=max(len(prompt.input_ids) for prompt in prompts),
        patches=max(0 if p.pixels is None else len(p.pixels) for p in prompts),
        frames=max(0 if p.feature_mask is None else int(p.feature_mask.sum()) for p in prompts),
        prepared=max(map(prepared_bytes, prompts)),
        preparation=max(0, reached - base - held),
        clips=int(fmean(sum(map(clip_bytes, one.clips)) for one in seen)),
        traces=max(len(one.sample.responses) for one in seen),
        trace=math.ceil(fmean(map(len, traces))) if traces else 0,
    )


def some_samples(config: TrainConfig, data: Data | None, folder: Path) -> Sequence[Sample]:
    """At most `LOOKED_AT` samples, evenly spaced; scenes are rendered into a folder."""
    if data is None:
        return scene_samples(
            split="train", stage=config.stage, count=LOOKED_AT, seed=SCENES_SEED, root=folder
        )
    samples = list(data.training.values())
    return samples[:: max(1, len(samples) // LOOKED_AT)][:LOOKED_AT]


def prepared_bytes(prompt: Prepared) -> int:
    """Bytes that a prepared prompt holds; what its tensors are views of counts whole."""
    tensors = (
        prompt.input_ids,
        prompt.positions,
        prompt.pixels,
        prompt.features,
        prompt.feature_mask,
    )
    storages = (tensor.untyped_storage() for tensor in tensors if tensor is not None)
    return sum(storage.nbytes() for storage in storages)


class ProcessMemory(NamedTuple):
    """Memory of this process, in bytes."""

    now: int
    highest: int
    """So far. Unlike that of `getrusage` it knows nothing of the process that started this one."""


def process_memory() -> ProcessMemory:
    """What the system says of this process; its highest alone where it says no more."""
    status = Path("/proc/self/status")
    if not status.is_file():
        return ProcessMemory(peak_memory_bytes(), peak_memory_bytes())
    lines = (line.partition(":") for line in status.read_text().splitlines())
    found = {name: value for name, _, value in lines}
    return ProcessMemory(*(int(found[name].split()[0]) << 10 for name in ("VmRSS", "VmHWM")))
