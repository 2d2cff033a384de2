"""Manifests: size and SHA-256 of a checkpoint's files, so that a damaged one is never loaded."""

from __future__ import annotations

from pathlib import Path

from avatar_core.errors import AvatarError, CheckpointError
from avatar_core.files import file_digest, read_json, write_json

NAME = "manifest.json"


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
    found = {int(p.name[5:]): p for p in run.glob("checkpoints/step-*") if p.name[5:].isdigit()}
    return dict(sorted(found.items(), reverse=True))


def sound_checkpoints(run: Path) -> list[Path]:
    """Checkpoints of a run directory whose files match their manifest, newest first."""
    return [path for path in saved_checkpoints(run).values() if _is_sound(path)]


def _is_sound(directory: Path) -> bool:
    try:
        verify_manifest(directory)
    except CheckpointError:
        return False
    return True
