"""From a name to a policy: `tiny`, a checkpoint directory, or a hub id.

Weights are read from safetensors only, and code from a checkpoint is never run.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import torch
from transformers import Qwen2_5OmniProcessor, Qwen2_5OmniThinkerForConditionalGeneration
from transformers.utils.import_utils import is_flash_attn_2_available

from avatar_core.errors import CheckpointError, UsageError
from avatar_core.hub import hub_errors
from avatar_core.manifest import ADAPTER_CONFIG, sound_checkpoints
from avatar_core.models.adapter import base_of, read_adapter
from avatar_core.models.qwen_omni import QwenOmniPolicy
from avatar_core.models.thinker import (
    read_thinker,
    unreadable_files,
    without_config_warnings,
)
from avatar_core.models.tiny import tiny_model, tiny_processor

THINKER_TYPES = frozenset({"qwen2_5_omni", "qwen2_5_omni_thinker"})
CONFIG = "config.json"
REMOTE_CODE_KEYS = ("auto_map", "trust_remote_code", "custom_pipelines")

Tuning = Literal["full", "lora"]
Precision = torch.dtype | Literal["auto"]


def load_policy(
    spec: str, *, seed: int = 0, device: str | None = None, tuning: Tuning | None = None
) -> QwenOmniPolicy:
    """Load a policy.

    Args:
        spec: `tiny` (untrained, made from `seed`), a directory in the `save_pretrained` layout (a
            thinker, a whole Qwen2.5-Omni checkpoint whose thinker is taken, or a peft adapter
            that names its base model), a run directory, or a hub id.
        seed: initialises `tiny`.
        device: torch device; `None` takes the first GPU when there is one, else the CPU.
        tuning: what is to be trained, all weights or an adapter; `None` when nothing is. It
            decides the precision of the weights, see `weight_precision`.

    Raises:
        UsageError: no such directory and no way to a hub.
        CheckpointError: the directory is not a Qwen2.5-Omni checkpoint, asks to run code, or is an
            adapter whose base model is not to be had.
    """
    target = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    if spec == "tiny":
        processor = tiny_processor()
        model: Any = tiny_model(processor.tokenizer, seed)
        return QwenOmniPolicy(model.to(target), processor)
    source = find_checkpoint(spec)
    precision = weight_precision(target, tuning)
    if not is_adapter(source):
        return QwenOmniPolicy(load_model(source, spec, target, precision), load_processor(source))
    base = base_of(source)
    try:
        home = find_checkpoint(base)
        model = load_model(home, base, target, precision)
    except (UsageError, CheckpointError) as error:
        raise CheckpointError(
            f"{source}: its base model {base!r} cannot be loaded ({error}); put it back or correct "
            f"base_model_name_or_path in {ADAPTER_CONFIG}"
        ) from error
    processor = load_processor(source if has_processor(source) else home)
    return QwenOmniPolicy(model, processor, read_adapter(model, source))


def weight_precision(device: torch.device, tuning: Tuning | None) -> Precision:
    """Precision of a model's own weights: fp32 where they are trained, else bf16 on a GPU.

    An optimiser step at the learning rates of reinforcement, 1e-6 and less, is smaller than the
    spacing of bf16 numbers and would be rounded away. Full tuning therefore holds and computes
    everything in fp32: 16 bytes a parameter with gradients and AdamW's moments, and no mixed
    precision. An adapter is small and in fp32 in any case (peft's default), on a base in bf16.

    Args:
        device: where the weights will be.
        tuning: "full", "lora", or `None` when nothing is trained.

    Returns:
        The precision; "auto" keeps that of the files.
    """
    if tuning == "full":
        return torch.float32
    return torch.bfloat16 if device.type == "cuda" else "auto"


def load_model(
    source: Path, name: str, target: torch.device, precision: Precision
) -> Qwen2_5OmniThinkerForConditionalGeneration:
    """The thinker of a checkpoint on a device; it remembers `name`, or where a directory is."""
    check_configuration(source)
    model: Any = read_thinker(
        source,
        dtype=precision,
        attn_implementation=attention_implementation(target, precision),
    )
    model.name_or_path = str(source.resolve()) if Path(name).is_dir() else name
    thinker: Qwen2_5OmniThinkerForConditionalGeneration = model.to(target).eval()
    return thinker


def load_processor(source: Path) -> Qwen2_5OmniProcessor:
    """Tokenizer and feature extractors of a checkpoint.

    Raises:
        CheckpointError: one of their files is missing.
    """
    processor: Qwen2_5OmniProcessor
    with without_config_warnings(), unreadable_files(source):
        processor = Qwen2_5OmniProcessor.from_pretrained(source, local_files_only=True)
    return processor


def attention_implementation(device: torch.device, precision: Precision) -> dict[str, str]:
    """Attention kernels by part: towers in bf16 take flash-attn if present, the text model sdpa.

    flash-attn has no kernels for fp32. The text model's rows share a prefix between branches, a
    mask that flash-attn's interface cannot express.
    """
    half = device.type == "cuda" and precision == torch.bfloat16
    flash = half and is_flash_attn_2_available()
    tower = "flash_attention_2" if flash else "sdpa"
    return {"vision_config": tower, "audio_config": tower, "text_config": "sdpa", "": "sdpa"}


def find_checkpoint(spec: str) -> Path:
    """Directory of a checkpoint on this machine, fetched from the hub when it is not here.

    Raises:
        CheckpointError: `spec` is a directory without a checkpoint.
        UsageError: it is none and cannot be fetched.
    """
    return local_checkpoint(Path(spec)) if Path(spec).is_dir() else hub_checkpoint(spec)


def is_adapter(directory: Path) -> bool:
    """Whether a directory holds a peft adapter and no model of its own."""
    return (directory / ADAPTER_CONFIG).is_file() and not (directory / CONFIG).is_file()


def has_processor(directory: Path) -> bool:
    """Whether a directory holds a processor's configuration."""
    names = ("processor_config.json", "preprocessor_config.json")
    return any((directory / name).is_file() for name in names)


def local_checkpoint(path: Path) -> Path:
    """The newest sound checkpoint of a run directory, or the directory itself when it is one.

    Raises:
        CheckpointError: neither is there.
    """
    if is_adapter(path) or ((path / CONFIG).is_file() and has_processor(path)):
        return path
    if sound := sound_checkpoints(path, at_most=1):
        return sound[0]
    raise CheckpointError(
        f"{path}: holds neither a model (config.json, *.safetensors) nor a finished checkpoint; "
        "give a checkpoint directory or a run directory"
    )


def hub_checkpoint(spec: str) -> Path:
    """Local copy of a hub model, downloaded when the hub may be used.

    Raises:
        UsageError: it is not on this machine and cannot be fetched.
    """
    from huggingface_hub import snapshot_download

    try:
        return Path(
            snapshot_download(spec, allow_patterns=["*.json", "*.safetensors", "*.txt", "*.jinja"])
        )
    except hub_errors() as error:
        raise UsageError(
            f"model {spec!r} is neither a directory nor reachable on the hub "
            f"({type(error).__name__}); give a checkpoint directory, or go online, "
            "or use --model tiny"
        ) from error


def check_configuration(directory: Path) -> None:
    """Refuse a configuration of another architecture or one that asks to run its own code.

    Raises:
        CheckpointError: names the file and the key.
    """
    path = directory / CONFIG
    try:
        configuration = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: unreadable ({error}); use another checkpoint") from error
    if not isinstance(configuration, dict):
        raise CheckpointError(f"{path}: unreadable (no JSON object); use another checkpoint")
    for key in REMOTE_CODE_KEYS:
        if key in configuration:
            raise CheckpointError(
                f"{path}: key {key!r} asks to run code from the checkpoint; remove it"
            )
    kind = configuration.get("model_type")
    if kind not in THINKER_TYPES:
        raise CheckpointError(
            f"{path}: model_type {kind!r} is not supported; expected one of {sorted(THINKER_TYPES)}"
        )
