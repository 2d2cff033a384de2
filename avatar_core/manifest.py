"""Manifests: size and SHA-256 of a checkpoint's files, so that a damaged one is never loaded."""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice
from pathlib import Path

from avatar_core.errors import AvatarError, CheckpointError
from avatar_core.files import file_digest, read_json, write_json

NAME = "manifest.json"
CHECKPOINTS = "checkpoints"
"""Folder of a run directory that holds its checkpoints, `step-<N>` each."""
ADAPTER_CONFIG = "adapter_config.json"
"""File of a checkpoint that makes it an adapter, as peft writes it."""
_STEP = "step-"


def write_manifest(directory: Path) -> None:
    """Write the manifest of a directory whose other files are complete."""
    files = {
        str(path.relative_to(directory)): {
            "bytes": path.stat().st_size,
            "sha256": file_digest(path),
        }
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }
    write_json(directory / NAME, {"schema": 1, "files": files})


def verify_manifest(directory: Path) -> None:
    """Check every file of a directory against its manifest.

    Raises:
        CheckpointError: names the first file that is missing or differs.
    """
    manifest = directory / NAME
    try:
        entries = read_json(manifest)["files"].items()
        files = [(directory / name, entry["bytes"], entry["sha256"]) for name, entry in entries]
    except (AvatarError, AttributeError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{manifest}: missing or unreadable; use another checkpoint"
        ) from error
    for path, size, digest in files:
        if not path.is_file():
            raise CheckpointError(f"{path}: missing from the checkpoint; use another one")
        try:
            intact = path.stat().st_size == size and file_digest(path) == digest
        except OSError as error:
            raise CheckpointError(
                f"{path}: cannot be read ({error.strerror}); use another checkpoint"
            ) from error
        if not intact:
            raise CheckpointError(f"{path}: differs from its manifest; use another checkpoint")


def saved_checkpoints(run: Path) -> dict[int, Path]:
    """Checkpoints of a run directory by step, newest first, sound or not."""
    paths = {path.name.removeprefix(_STEP): path for path in run.glob(f"{CHECKPOINTS}/{_STEP}*")}
    found = {int(step): path for step, path in paths.items() if step.isdigit()}
    return dict(sorted(found.items(), reverse=True))


def sound_checkpoints(
    run: Path, *, at_most: int | None = None, trusted: Collection[Path] = ()
) -> list[Path]:
    """Checkpoints of a run directory whose files match their manifest, newest first.

    Every byte of a checkpoint is read to tell, so ask for no more than are wanted.

    Args:
        run: the run directory.
        at_most: how many are wanted; `None` for all.
        trusted: those that this process wrote or verified itself; their files are not read.
    """
    saved = saved_checkpoints(run).values()
    return list(islice((path for path in saved if path in trusted or is_sound(path)), at_most))


def is_sound(directory: Path) -> bool:
    """Whether a directory is there and all its files match its manifest."""
    try:
        verify_manifest(directory)
    except CheckpointError:
        return False
    return True
