from __future__ import annotations

from pathlib import Path

import pytest

from avatar_core.errors import CheckpointError
from avatar_core.replay import segments
from avatar_core.replay.segments import (
    Entry,
    Layout,
    Place,
    read_records,
    segment_path,
    worth_keeping,
    write_segments,
)

NOTHING = Layout((), {})


def layout_of(*sizes: int, places: dict[str, tuple[int, int, int]]) -> Layout:
    """Segments of some sizes, and (segment, offset, bytes) by digest."""
    return Layout(
        [Entry(bytes=size, sha256=f"{index:064}") for index, size in enumerate(sizes)],
        {
            key: Place(segment=segment, offset=offset, bytes=size)
            for key, (segment, offset, size) in places.items()
        },
    )


def test_records_come_back_from_segments_of_the_size_wanted(tmp_path, monkeypatch):
    monkeypatch.setattr(segments, "SEGMENT_BYTES", 10)
    records = {"a": b"1" * 4, "b": b"2" * 6, "c": b"3" * 11, "d": b"4", "e": b""}
    layout = write_segments(NOTHING, records, tmp_path)
    # 4 + 6 fill the first; 11 is more than one holds and gets its own.
    assert [segment.bytes for segment in layout.segments] == [10, 11, 1]
    assert read_records(layout, tmp_path) == records
    assert segment_path(tmp_path, layout.segments[1]).read_bytes() == b"3" * 11


def test_only_what_a_layout_lacks_is_written(tmp_path):
    first = write_segments(NOTHING, {"a": b"1"}, tmp_path)
    second = write_segments(first, {"a": b"1", "b": b"22"}, tmp_path)
    assert [segment.bytes for segment in second.segments] == [1, 2]
    assert write_segments(second, {"a": b"1", "b": b"22"}, tmp_path) == second


def test_the_deadest_segments_are_left_out_until_little_is_dead(monkeypatch):
    monkeypatch.setattr(segments, "SHARED_BYTES", 50)
    # Live: 90 of 100, 60 of 100, 95 of 100, 40 of 40 but small, 0 of 100.
    layout = layout_of(
        *(100, 100, 100, 40, 100),
        places={"a": (0, 0, 90), "b": (1, 5, 60), "c": (2, 0, 95), "d": (3, 0, 40), "e": (4, 0, 9)},
    )
    live = {"a": 90, "b": 60, "c": 95, "d": 40}
    # Of segments 0, 1, 2 together 55 of 300 bytes are dead, 18 %: all of them stay.
    kept = worth_keeping(layout, live)
    assert [segment.sha256 for segment in kept.segments] == [f"{index:064}" for index in (0, 1, 2)]
    assert kept.places == {key: layout.places[key] for key in "abc"}
    # Without a, 145 of 300 are: segment 0 goes; then 45 of 200, 22 %: segment 1 goes.
    kept = worth_keeping(layout, {"b": 60, "c": 95, "d": 40})
    assert [segment.sha256 for segment in kept.segments] == [f"{2:064}"]
    assert kept.places == {"c": Place(segment=0, offset=0, bytes=95)}


def test_places_that_cannot_be_right_are_not_built_on(monkeypatch):
    monkeypatch.setattr(segments, "SHARED_BYTES", 1)
    places = {"a": (0, 0, 80), "size": (0, 0, 5), "end": (0, 95, 10), "segment": (7, 0, 10)}
    live = {"a": 80, "size": 6, "end": 10, "segment": 10}
    kept = worth_keeping(layout_of(100, places=places), live)
    assert list(kept.places) == ["a"]


def test_a_segment_is_refused_when_it_is_not_what_its_entry_says(tmp_path):
    layout = write_segments(NOTHING, {"a": b"123"}, tmp_path)
    (path,) = tmp_path.iterdir()
    for wrong in (b"12", b"124", b"1234", b""):
        path.write_bytes(wrong)
        with pytest.raises(CheckpointError, match="does not match its size and hash"):
            read_records(layout, tmp_path)
    path.unlink()
    with pytest.raises(CheckpointError, match="No such file"):
        read_records(layout, Path(tmp_path))


def test_a_segment_that_ends_before_a_record_is_refused(tmp_path):
    layout = write_segments(NOTHING, {"a": b"123"}, tmp_path)
    longer = Layout(layout.segments, {"a": Place(segment=0, offset=1, bytes=3)})
    with pytest.raises(CheckpointError, match="ends before a record"):
        read_records(longer, tmp_path)
