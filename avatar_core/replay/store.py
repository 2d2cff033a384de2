"""The replay buffer on disk: JSON records, safetensors for token ids and log-probs, a manifest.

The manifest names the two files by the hash of their content and is written last, so a directory
always holds one whole buffer, the old or the new, whatever instant the writer dies.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

import safetensors.numpy
from pydantic import Field, ValidationError
from safetensors import SafetensorError

from avatar_core.config.base import Frozen
from avatar_core.errors import CheckpointError
from avatar_core.files import disk_errors, write_atomic, write_json
from avatar_core.replay.buffer import ReplayBuffer

MANIFEST = "manifest.json"
_SUFFIXES = {"records": ".json", "tensors": ".safetensors"}


class _Entry(Frozen):
    bytes: int = Field(ge=0)
    sha256: str = Field(pattern=r"\A[0-9a-f]{64}\z")


class _Manifest(Frozen):
    schema_version: Literal[1]
    records: _Entry
    tensors: _Entry


def save_buffer(buffer: ReplayBuffer, directory: Path) -> None:
    """Write a buffer's content into a directory, replacing an older one atomically.

    Raises:
        DiskError: the disk refused; an older content is still whole.
    """
    state = buffer.state_dict()
    contents = {
        "tensors": safetensors.numpy.save(state.pop("arrays")),
        "records": json.dumps(state, allow_nan=False, separators=(",", ":")).encode(),
    }
    manifest: dict[str, Any] = {"schema_version": 1}
    for kind, content in contents.items():
        digest = hashlib.sha256(content).hexdigest()
        write_atomic(_path(directory, kind, digest), content)
        manifest[kind] = {"bytes": len(content), "sha256": digest}
    write_json(directory / MANIFEST, manifest)
    current = {_path(directory, kind, manifest[kind]["sha256"]) for kind in contents}
    with disk_errors(directory):
        for kind, suffix in _SUFFIXES.items():
            for path in directory.glob(f"{kind}-*{suffix}"):
                if path not in current:
                    path.unlink()


def load_buffer(directory: Path, **config: Any) -> ReplayBuffer:
    """Read a buffer that `save_buffer` wrote.

    Args:
        directory: where it lies.
        config: settings of `ReplayBuffer`; they are not part of the stored content.

    Raises:
        CheckpointError: see `load_state`, or the content is not sound.
    """
    buffer = ReplayBuffer(**config)
    buffer.load_state_dict(load_state(directory))
    return buffer


def load_state(directory: Path) -> dict[str, Any]:
    """Read the content that `save_buffer` wrote, as `ReplayBuffer.load_state_dict` takes it.

    Raises:
        CheckpointError: a file is missing or does not match its hash, or is not of its format.
    """
    try:
        manifest = _Manifest.model_validate_json(_read(directory / MANIFEST))
    except ValidationError as error:
        raise _unsound(directory / MANIFEST, "not a manifest of this schema") from error
    path = _path(directory, "records", manifest.records.sha256)
    try:
        state = json.loads(_verified(path, manifest.records))
    except (ValueError, RecursionError) as error:
        raise _unsound(path, "not valid JSON") from error
    if not isinstance(state, dict):
        raise _unsound(path, "not a JSON object")
    path = _path(directory, "tensors", manifest.tensors.sha256)
    try:
        state["arrays"] = safetensors.numpy.load(_verified(path, manifest.tensors))
    except SafetensorError as error:
        raise _unsound(path, "not a safetensors file") from error
    return state


def _path(directory: Path, kind: str, digest: str) -> Path:
    return directory / f"{kind}-{digest[:16]}{_SUFFIXES[kind]}"


def _verified(path: Path, entry: _Entry) -> bytes:
    """The file's bytes, when size and hash are those of the manifest."""
    content = _read(path)
    if len(content) != entry.bytes or hashlib.sha256(content).hexdigest() != entry.sha256:
        raise _unsound(path, "does not match the manifest's size and hash")
    return content


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unsound(path, error.strerror or "cannot be read") from error


def _unsound(path: Path, reason: str) -> CheckpointError:
    return CheckpointError(f"{path}: {reason}; restore it from an earlier checkpoint")
