"""From a name to a policy: `tiny`, a checkpoint directory, or a hub id. safetensors only, remote code never."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch
from transformers import Qwen2_5OmniProcessor, Qwen2_5OmniThinkerForConditionalGeneration
from transformers.utils import is_flash_attn_2_available

from avatar_core.errors import CheckpointError, UsageError
from avatar_core.manifest import sound_checkpoints
from avatar_core.models.qwen_omni import QwenOmniPolicy
from avatar_core.models.tiny import tiny_model, tiny_processor

THINKER_TYPES = frozenset({"qwen2_5_omni", "qwen2_5_omni_thinker"})
REMOTE_CODE_KEYS = ("auto_map", "trust_remote_code", "custom_pipelines")


def load_policy(spec: str, *, seed: int = 0, device: str | None = None) -> QwenOmniPolicy:
    """Load a policy.

    Args:
        spec: `tiny` (untrained, made from `seed`), a directory in the `save_pretrained` layout (a thinker, or a
            whole Qwen2.5-Omni checkpoint whose thinker is taken), or a hub id.
        seed: initialises `tiny`.
        device: torch device; `None` takes the first GPU when there is one, else the CPU.

    Raises:
        UsageError: no such directory and no way to a hub.
        CheckpointError: the directory is not a Qwen2.5-Omni checkpoint, or asks to run code.
    """
    target = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    if spec == "tiny":
        processor = tiny_processor()
        return QwenOmniPolicy(tiny_model(processor.tokenizer, seed).to(target), processor)
    source = local_checkpoint(Path(spec)) if Path(spec).is_dir() else hub_checkpoint(spec)
    check_configuration(source)
    model = Qwen2_5OmniThinkerForConditionalGeneration.from_pretrained(
        source,
        dtype=torch.bfloat16 if target.type == "cuda" else "auto",
        attn_implementation=attention_implementation(target),
        use_safetensors=True,
        local_files_only=True,
    )
    processor = Qwen2_5OmniProcessor.from_pretrained(source, local_files_only=True)
    return QwenOmniPolicy(model.to(target).eval(), processor)


def attention_implementation(device: torch.device) -> dict[str, str]:
    """Attention kernels by part: towers take flash-attn when it is present, the text model sdpa.

    The text model's rows share a prefix between branches, a mask that flash-attn's interface cannot express.
    """
    flash = device.type == "cuda" and is_flash_attn_2_available()
    tower = "flash_attention_2" if flash else "sdpa"
    return {"vision_config": tower, "audio_config": tower, "text_config": "sdpa", "": "sdpa"}


def local_checkpoint(path: Path) -> Path:
    """The newest sound checkpoint of a run directory, or the directory itself when it holds a model.

    Raises:
        CheckpointError: neither is there.
    """
    processors = ("processor_config.json", "preprocessor_config.json")
    if (path / "config.json").is_file() and any((path / name).is_file() for name in processors):
        return path
    if sound := sound_checkpoints(path):
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
    from httpx import HTTPError
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(
            snapshot_download(spec, allow_patterns=["*.json", "*.safetensors", "*.txt", "*.jinja"])
        )
    except (HFValidationError, LocalEntryNotFoundError, HTTPError, OSError) as error:
        raise UsageError(
            f"model {spec!r} is neither a directory nor reachable on the hub ({type(error).__name__}); "
            "give a checkpoint directory, or go online, or use --model tiny"
        ) from error


def check_configuration(directory: Path) -> None:
    """Refuse a configuration of another architecture or one that asks to run its own code.

    Raises:
        CheckpointError: names the file and the key.
    """
    path = directory / "config.json"
    try:
        configuration: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path}: unreadable ({error})") from error
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


def offline() -> bool:
    """Whether the user has forbidden hub access."""
    return os.environ.get("HF_HUB_OFFLINE", "").lower() in {"1", "true", "yes", "on"}
