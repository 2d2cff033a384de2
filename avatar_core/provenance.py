"""What a run or an evaluation was made with: versions, command, device, a digest of the weights."""

from __future__ import annotations

import hashlib
import platform
import sys
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version

import torch

from avatar_core.config.media import MediaConfig
from avatar_core.records import Manifest
from avatar_core.version import VERSION

LIBRARIES = (
    "torch",
    "torchvision",
    "transformers",
    "peft",
    "av",
    "decord",
    "qwen-omni-utils",
    "numpy",
)
FINGERPRINT_VALUES = 1024


def new_manifest(
    name: str, model: torch.nn.Module | None, *, seed: int, media: MediaConfig | None
) -> Manifest:
    """The manifest of what starts now, in this process.

    Args:
        name: the model as it was asked for.
        model: its weights; `None` when they are not in this process.
        seed: of the run.
        media: how media are read; `None` when none are.
    """
    return Manifest(
        versions={"avatar": VERSION, "python": platform.python_version(), **library_versions()},
        seed=seed,
        media={} if media is None else media.model_dump(mode="json"),
        model=name,
        model_fingerprint=None if model is None else fingerprint(model),
        command=tuple(sys.argv),
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        device="served" if model is None else str(next(model.parameters()).device),
        threads=None if model is None else torch.get_num_threads(),
    )


def library_versions() -> dict[str, str]:
    """Installed versions of the libraries that shape a result."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


@torch.no_grad()
def fingerprint(model: torch.nn.Module) -> str:
    """Digest of every parameter's name, shape and at most 1,024 evenly spaced values.

    Reading all of a 7B model's values would take longer than loading it; a changed weight file
    changes values everywhere, so a sample tells as well.
    """
    digest = hashlib.blake2b(digest_size=16)
    for name, parameter in model.named_parameters():
        flat = parameter.detach().flatten()
        stride = max(1, -(-flat.numel() // FINGERPRINT_VALUES))
        sample = flat[::stride].float().cpu().numpy()
        digest.update(f"{name}{tuple(parameter.shape)}".encode() + sample.tobytes())
    return digest.hexdigest()
