"""Segments: immutable files of group records, which saves after the first one share."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import Field

from avatar_core.config.base import Frozen
from avatar_core.errors import CheckpointError
from avatar_core.files import disk_errors, sync_directory, write_atomic

SHARED_BYTES = 1 << 20
"""A smaller segment is written again instead of shared, so that they stay few."""
SEGMENT_BYTES = 32 << 20
"""A new segment is closed at this size; saving and loading hold one in memory at a time."""
DEAD_SHARE = 0.2
"""Share of the kept bytes that may belong to groups which have left the buffer."""


class Entry(Frozen):
    """Size and hash of a file."""

    bytes: int = Field(ge=0)
    sha256: str = Field(pattern=r"\A[0-9a-f]{64}\z")


class Place(Frozen):
    """Where a record lies."""

    segment: int = Field(ge=0)
    offset: int = Field(ge=0)
    bytes: int = Field(ge=0)


class Layout(NamedTuple):
    """Segments, and where in them the record of each digest lies."""

    segments: Sequence[Entry]
    places: Mapping[str, Place]


def segment_path(directory: Path, segment: Entry) -> Path:
    """File of a segment, named by its content."""
    return directory / f"segment-{segment.sha256[:16]}.bin"


def worth_keeping(layout: Layout, live: Mapping[str, int]) -> Layout:
    """The part of an earlier layout that a new save builds on.

    Places that cannot be right are left out, and so are small segments. Of the others, those with
    the largest dead share are left out until at most `DEAD_SHARE` of what is kept is dead.

    Args:
        layout: of the earlier save.
        live: size by digest of the records to save.
    """
    sizes = [segment.bytes for segment in layout.segments]
    places = {
        digest: place
        for digest, place in layout.places.items()
        if live.get(digest) == place.bytes
        and place.segment < len(sizes)
        and place.offset + place.bytes <= sizes[place.segment]
    }
    used = [0] * len(sizes)
    for place in places.values():
        used[place.segment] += place.bytes
    order = [index for index, size in enumerate(sizes) if size >= SHARED_BYTES and used[index]]
    order.sort(key=lambda index: (used[index] / sizes[index], index))
    while order:
        total = sum(sizes[index] for index in order)
        if total - sum(used[index] for index in order) <= DEAD_SHARE * total:
            break
        del order[0]
    return _chosen(Layout(layout.segments, places), sorted(order))


def carried_over(layout: Layout, source: Path, target: Path) -> Layout:
    """Bring segments to another directory as hard links, leaving out those that are not sound.

    A segment that cannot be linked is left out too, for the caller to write it again.
    """
    good = [
        index
        for index, segment in enumerate(layout.segments)
        if _is_sound(segment_path(source, segment), segment)
        and _linked(segment_path(source, segment), segment_path(target, segment))
    ]
    if good and source != target:
        with disk_errors(target):
            sync_directory(target)
    return _chosen(layout, good)


def write_segments(layout: Layout, records: Mapping[str, bytes], directory: Path) -> Layout:
    """Write the records that a layout lacks into new segments.

    Raises:
        DiskError: the disk refused.
    """
    segments, places = list(layout.segments), dict(layout.places)
    for batch in _batches({key: r for key, r in records.items() if key not in places}):
        content = b"".join(records[digest] for digest in batch)
        segment = Entry(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
        write_atomic(segment_path(directory, segment), content)
        offset = 0
        for digest in batch:
            size = len(records[digest])
            places[digest] = Place(segment=len(segments), offset=offset, bytes=size)
            offset += size
        segments.append(segment)
    return Layout(segments, places)


def read_records(layout: Layout, directory: Path) -> dict[str, bytes]:
    """Read the records of a layout by digest, one segment at a time.

    Raises:
        CheckpointError: a segment is missing, does not match its hash, or ends before a record.
    """
    by_segment: dict[int, list[str]] = {}
    for digest, place in layout.places.items():
        by_segment.setdefault(place.segment, []).append(digest)
    records: dict[str, bytes] = {}
    for index, segment in enumerate(layout.segments):
        path = segment_path(directory, segment)
        content = verified(path, segment)
        for digest in by_segment.get(index, ()):
            place = layout.places[digest]
            records[digest] = content[place.offset : place.offset + place.bytes]
            if len(records[digest]) != place.bytes:
                raise unsound(path, "ends before a record")
    return records


def verified(path: Path, entry: Entry) -> bytes:
    """A file's bytes, when size and hash are those of its entry.

    Raises:
        CheckpointError: they are not, or it cannot be read.
    """
    content = read(path)
    if len(content) != entry.bytes or hashlib.sha256(content).hexdigest() != entry.sha256:
        raise unsound(path, "does not match its size and hash")
    return content


def read(path: Path) -> bytes:
    """A file's bytes; `CheckpointError` when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise unsound(path, error.strerror or "cannot be read") from error


def unsound(path: Path, reason: str) -> CheckpointError:
    """The error that refuses a file of the store."""
    return CheckpointError(f"{path}: {reason}; restore it from an earlier checkpoint")


def _chosen(layout: Layout, indices: Sequence[int]) -> Layout:
    """A layout of some segments of another, with the places in them."""
    new = {old: index for index, old in enumerate(indices)}
    return Layout(
        [layout.segments[index] for index in indices],
        {
            digest: place.model_copy(update={"segment": new[place.segment]})
            for digest, place in layout.places.items()
            if place.segment in new
        },
    )


def _batches(records: Mapping[str, bytes]) -> Iterator[list[str]]:
    """Digests in order, a segment's worth at a time."""
    batch: list[str] = []
    size = 0
    for digest, record in records.items():
        if batch and size + len(record) > SEGMENT_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(digest)
        size += len(record)
    if batch:
        yield batch


def _is_sound(path: Path, segment: Entry) -> bool:
    try:
        verified(path, segment)
    except CheckpointError:
        return False
    return True


def _linked(source: Path, target: Path) -> bool:
    """Whether the file is at its target now; not every file system has hard links."""
    if source == target:
        return True
    with contextlib.suppress(OSError):
        os.link(source, target)
        return True
    return False
