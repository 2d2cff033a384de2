"""The replay buffer on disk: segments of group records, an index of what is in force, a manifest.

    manifest.json          size and SHA-256 of the index, written last
    index-<hash>.json      prompts, groups in the buffer, where their records lie
    segment-<hash>.bin     records, never changed once written

A save writes the records that the save before it lacks and takes over its segments as hard links,
so each directory is whole in itself: the others may be removed, and a copy of it holds everything.
The manifest comes last, so a directory holds one whole buffer, whatever instant the writer dies.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from avatar_core.config.base import Frozen
from avatar_core.errors import CheckpointError
from avatar_core.files import disk_errors, write_atomic, write_json
from avatar_core.replay.buffer import ReplayBuffer
from avatar_core.replay.segments import (
    Entry,
    Layout,
    Place,
    carried_over,
    read,
    read_records,
    segment_path,
    unsound,
    verified,
    worth_keeping,
    write_segments,
)

MANIFEST = "manifest.json"
NOTHING = Layout((), {})


class _Manifest(Frozen):
    schema_version: Literal[2]
    index: Entry


class _Index(Frozen):
    state: dict[str, Any]
    segments: list[Entry]
    places: dict[str, Place]


def save_buffer(buffer: ReplayBuffer, directory: Path, *, previous: Path | None = None) -> None:
    """Write a buffer's content into a directory, replacing an older one atomically.

    Args:
        buffer: what to save.
        directory: where to.
        previous: directory of an earlier save on the same file system, whose records need not be
            written again; `None` for what `directory` itself holds. One that is missing or not
            sound is passed over.

    Raises:
        DiskError: the disk refused; an older content is still whole.
    """
    state = buffer.state_dict()
    records = dict(
        zip((row["digest"] for row in state["groups"]), state.pop("records"), strict=True)
    )
    source = previous or directory
    with disk_errors(directory):
        directory.mkdir(parents=True, exist_ok=True)
    known = worth_keeping(_known(source), {key: len(record) for key, record in records.items()})
    layout = write_segments(carried_over(known, source, directory), records, directory)
    index = _Index(state=state, segments=list(layout.segments), places=dict(layout.places))
    content = json.dumps(index.model_dump(), allow_nan=False, separators=(",", ":")).encode()
    entry = Entry(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
    write_atomic(_index_path(directory, entry), content)
    write_json(directory / MANIFEST, {"schema_version": 2, "index": entry.model_dump()})
    current = {segment_path(directory, segment) for segment in layout.segments}
    current.add(_index_path(directory, entry))
    with disk_errors(directory):
        for path in (*directory.glob("segment-*.bin"), *directory.glob("index-*.json")):
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
    index = _read_index(directory)
    layout = Layout(index.segments, index.places)
    records = read_records(layout, directory)
    groups = index.state.get("groups")
    try:
        found = [records[row["digest"]] for row in groups or ()]
    except (KeyError, TypeError) as error:
        raise unsound(directory, "the index lists a group that no segment holds") from error
    return {**index.state, "records": found}


def _read_index(directory: Path) -> _Index:
    path = directory / MANIFEST
    try:
        manifest = _Manifest.model_validate_json(read(path))
    except ValidationError as error:
        raise unsound(path, "not a manifest of schema 2") from error
    path = _index_path(directory, manifest.index)
    try:
        return _Index.model_validate_json(verified(path, manifest.index))
    except ValidationError as error:
        raise unsound(path, "not an index of schema 2") from error


def _known(directory: Path) -> Layout:
    """Layout of an earlier save, empty when there is none that is sound."""
    try:
        index = _read_index(directory)
    except CheckpointError:
        return NOTHING
    return Layout(index.segments, index.places)


def _index_path(directory: Path, entry: Entry) -> Path:
    return directory / f"index-{entry.sha256[:16]}.json"
