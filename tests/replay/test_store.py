from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
from pathlib import Path

import numpy as np
import pytest

from avatar_core.errors import CheckpointError, DiskError
from avatar_core.replay import ReplayBuffer, load_buffer, save_buffer, segments, store

RULES = [
    {"priority": "uniform"},
    {"priority": "uniform", "members_per_group": 2, "max_age": 20, "max_reuse": 2},
    {"priority": "release"},
    {"priority": "release", "proxy": "reward", "temperature": 0.01, "members_per_group": 2},
    {"priority": "fresh"},
    {"priority": "fresh", "tau": 5.0, "max_reuse": 3},
]


def filled(make_group, groups: int = 30) -> ReplayBuffer:
    rng = random.Random(5)
    buffer = ReplayBuffer(min_fill=1)
    for step in range(groups):
        rewards = rng.choices([0.0, 0.5, 1.0, None], k=4)
        buffer.insert(make_group(f"p{rng.randrange(9)}", rewards, step=step))
    return buffer


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


@pytest.fixture
def small_segments(monkeypatch):
    """Segments of a few kilobytes, shared however small they are."""
    monkeypatch.setattr(segments, "SHARED_BYTES", 1)
    monkeypatch.setattr(segments, "SEGMENT_BYTES", 3_000)


@pytest.mark.parametrize("settings", RULES)
def test_after_a_restart_the_next_hundred_draws_are_the_same(
    make_group, insert, named, tmp_path, small_segments, settings
):
    config = {"capacity": 60, "min_fill": 1, "window": 5, **settings}
    rng = random.Random(1)
    buffer = ReplayBuffer(**config)

    def advance(target: ReplayBuffer, step: int, chance: random.Random) -> list:
        drawn = target.draw(4, chance, step=step)
        target.mark_used(drawn)
        rewards = chance.choices([0.0, 0.5, 1.0, None], k=4)
        insert(target, make_group(f"p{chance.randrange(12)}", rewards, step=step))
        return named(drawn)

    for step in range(120):
        advance(buffer, step, rng)
    save_buffer(buffer, tmp_path)
    loaded = load_buffer(tmp_path, **config)
    assert len(loaded) == len(buffer) <= 60
    one, other = random.Random(2), random.Random(2)
    compared = 0
    for step in range(120, 220):
        left, right = advance(buffer, step, one), advance(loaded, step, other)
        assert left == right
        compared += len(left)
    # Limits of age and reuse may leave less than four to draw.
    assert compared == 400 or (settings.get("max_reuse") and compared > 50)
    assert buffer.state_dict() == loaded.state_dict()


def test_token_ids_and_logprobs_survive_bit_by_bit(make_group, tmp_path):
    buffer = filled(make_group)
    save_buffer(buffer, tmp_path)
    compared = 0
    for old, new in zip(buffer.groups(), load_buffer(tmp_path).groups(), strict=True):
        for a, b in zip(old.group.completions, new.group.completions, strict=True):
            assert np.array_equal(a.token_ids, b.token_ids)
            assert a.logprobs.tobytes() == b.logprobs.tobytes()
            assert (a.text, a.parts) == (b.text, b.parts)
            compared += 1
    assert compared == 4 * sum(1 for _ in buffer.groups()) > 50


def test_saving_again_replaces_and_leaves_three_files(make_group, tmp_path):
    save_buffer(filled(make_group, 5), tmp_path)
    save_buffer(filled(make_group, 30), tmp_path)
    assert sorted(name.split("-")[0] for name in contents(tmp_path)) == [
        "index",
        "manifest.json",
        "segment",
    ]
    assert load_buffer(tmp_path).state_dict() == filled(make_group, 30).state_dict()
    before = contents(tmp_path)
    save_buffer(filled(make_group, 30), tmp_path)
    assert contents(tmp_path) == before


def test_a_later_save_writes_what_is_new_and_shares_the_rest(make_group, tmp_path, small_segments):
    one, two = tmp_path / "one", tmp_path / "two"
    buffer = filled(make_group, 40)
    save_buffer(buffer, one)
    shared = {path.name for path in one.glob("segment-*")}
    assert len(shared) > 2
    buffer.insert(make_group("new", [0.0, 1.0], step=50))
    buffer.mark_used(buffer.draw(4, random.Random(0)))
    save_buffer(buffer, two, previous=one)
    later = {path.name for path in two.glob("segment-*")}
    assert shared < later
    assert len(later - shared) == 1
    (new,) = later - shared
    # The one new record; the others are the same files on the device.
    assert (two / new).stat().st_size == len(buffer.state_dict()["records"][-1])
    assert all(os.path.samefile(one / name, two / name) for name in shared)
    assert load_buffer(two).state_dict() == buffer.state_dict()


def test_each_save_is_whole_without_the_others(make_group, tmp_path, small_segments):
    buffer, states = filled(make_group, 20), []
    for index in range(6):
        before = tmp_path / str(index - 1) if index else None
        save_buffer(buffer, tmp_path / str(index), previous=before)
        states.append(buffer.state_dict())
        for step in range(5):
            buffer.insert(make_group(f"{index}-{step}", [0.0, 1.0], step=30 + index))
    shutil.copytree(tmp_path / "4", tmp_path / "copy")
    for index in (0, 2, 4):
        shutil.rmtree(tmp_path / str(index))
    for index in (1, 3, 5):
        assert load_buffer(tmp_path / str(index)).state_dict() == states[index]
    assert load_buffer(tmp_path / "copy").state_dict() == states[4]


def test_small_segments_are_written_again_instead_of_shared(make_group, tmp_path):
    buffer = filled(make_group, 10)
    save_buffer(buffer, tmp_path / "one")
    save_buffer(buffer, tmp_path / "two", previous=tmp_path / "one")
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    for path in (tmp_path / "one").iterdir():
        assert path.stat().st_nlink == 1


def test_the_directory_stays_near_the_size_of_what_is_in_force(
    make_group, tmp_path, small_segments
):
    rng = random.Random(3)
    buffer = ReplayBuffer(capacity=200, min_fill=1)
    written, saves = 0, 25
    for save in range(saves):
        for step in range(12):
            group = make_group(f"p{rng.randrange(40)}", [rng.random() for _ in range(4)])
            buffer.insert(group if step else make_group("q", [0.5] * 4, step=save))
        before = set(contents(tmp_path)) if tmp_path.exists() else set()
        save_buffer(buffer, tmp_path)
        files = contents(tmp_path)
        written += sum(
            len(data)
            for name, data in files.items()
            if name not in before and name.startswith("segment")
        )
        live = sum(len(record) for record in dict.fromkeys(buffer.state_dict()["records"]))
        stored = sum(len(data) for name, data in files.items() if name.startswith("segment"))
        assert live <= stored <= live / (1 - segments.DEAD_SHARE)
    assert len(buffer) == 200
    # Writing whole each time would be `saves` times what is in force.
    assert written < saves * live / 2


def test_a_damaged_or_missing_segment_is_not_passed_on(make_group, tmp_path, small_segments):
    one, two = tmp_path / "one", tmp_path / "two"
    buffer = filled(make_group, 40)
    save_buffer(buffer, one)
    first, second, *_ = sorted(one.glob("segment-*"))
    data = bytearray(first.read_bytes())
    data[100] ^= 1
    first.write_bytes(data)
    second.unlink()
    save_buffer(buffer, two, previous=one)
    assert load_buffer(two).state_dict() == buffer.state_dict()
    with pytest.raises(CheckpointError):
        load_buffer(one)
    # Saved in place, the directory is sound again.
    save_buffer(buffer, one)
    assert load_buffer(one).state_dict() == buffer.state_dict()


@pytest.mark.parametrize("broken", ["missing", "manifest", "index"])
def test_an_earlier_save_that_is_not_sound_is_passed_over(make_group, tmp_path, broken):
    one, two = tmp_path / "one", tmp_path / "two"
    if broken != "missing":
        save_buffer(filled(make_group, 5), one)
        next(one.glob(f"{broken}*")).write_text("{}")
    buffer = filled(make_group, 30)
    save_buffer(buffer, two, previous=one)
    assert load_buffer(two).state_dict() == buffer.state_dict()


def test_without_hard_links_everything_is_written_again(
    make_group, tmp_path, small_segments, monkeypatch
):
    buffer = filled(make_group, 40)
    save_buffer(buffer, tmp_path / "one")

    def refuse(*_):
        raise PermissionError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    save_buffer(buffer, tmp_path / "two", previous=tmp_path / "one")
    assert load_buffer(tmp_path / "two").state_dict() == buffer.state_dict()
    assert all(path.stat().st_nlink == 1 for path in (tmp_path / "two").iterdir())


@pytest.mark.parametrize("kept", range(6))
def test_a_save_cut_short_leaves_the_old_buffer(
    make_group, tmp_path, monkeypatch, small_segments, kept
):
    old = filled(make_group, 5)
    save_buffer(old, tmp_path)
    before = contents(tmp_path)
    written: list[Path] = []

    def failing(whole):
        def write(path, content):
            if len(written) == kept:
                raise DiskError(f"{path}: cannot write")
            written.append(path)
            whole(path, content)

        return write

    with monkeypatch.context() as patch:
        patch.setattr(segments, "write_atomic", failing(segments.write_atomic))
        patch.setattr(store, "write_atomic", failing(store.write_atomic))
        patch.setattr(store, "write_json", failing(store.write_json))
        with pytest.raises(DiskError):
            save_buffer(filled(make_group, 40), tmp_path)
    assert len(written) == kept
    assert load_buffer(tmp_path).state_dict() == old.state_dict()
    # The next save removes what the one that failed has left.
    save_buffer(old, tmp_path)
    assert load_buffer(tmp_path).state_dict() == old.state_dict()
    assert contents(tmp_path).keys() == before.keys()


def test_every_flipped_byte_and_missing_file_is_noticed(make_group, tmp_path):
    save_buffer(filled(make_group), tmp_path)
    files = sorted(tmp_path.iterdir())
    assert len(files) == 3
    rng = random.Random(8)
    tried = 0
    for path in files:
        content = path.read_bytes()
        broken = [content[: len(content) // 2], b""]
        if path.name != "manifest.json":
            broken.append(content + b" ")
        for _ in range(20):
            at = rng.randrange(len(content))
            broken.append(content[:at] + bytes([content[at] ^ 0x55]) + content[at + 1 :])
        for bad in broken:
            path.write_bytes(bad)
            with pytest.raises(CheckpointError):
                load_buffer(tmp_path)
            tried += 1
        path.unlink()
        with pytest.raises(CheckpointError, match="No such file"):
            load_buffer(tmp_path)
        path.write_bytes(content)
    assert tried == 23 + 22 + 23
    assert len(load_buffer(tmp_path)) > 0


def with_index(directory: Path, content: bytes) -> None:
    """Give a directory an index that its manifest vouches for."""
    manifest = json.loads((directory / "manifest.json").read_text())
    digest = hashlib.sha256(content).hexdigest()
    manifest["index"] = {"bytes": len(content), "sha256": digest}
    (directory / f"index-{digest[:16]}.json").write_bytes(content)
    (directory / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 100_000,
        b"[]",
        b"null",
        b"{",
        b"\xff",
        b"NaN",
        b'{"state":{},"segments":[],"places":{}}',
        b'{"state":{"groups":[{}]},"segments":[],"places":{}}',
        b'{"state":{"groups":[1]},"segments":[],"places":{}}',
        b'{"state":{"groups":7},"segments":[],"places":{}}',
    ],
)
def test_an_index_that_matches_its_hash_but_holds_nonsense_is_refused(
    make_group, tmp_path, content
):
    save_buffer(filled(make_group), tmp_path)
    with_index(tmp_path, content)
    with pytest.raises(CheckpointError):
        load_buffer(tmp_path)


def set_first_place(index, **change):
    next(iter(index["places"].values())).update(change)


@pytest.mark.parametrize(
    "change",
    [
        lambda index: set_first_place(index, segment=9),
        lambda index: set_first_place(index, offset=10**9),
        lambda index: set_first_place(index, bytes=10**9),
        lambda index: index["places"].popitem(),
        lambda index: index["segments"].clear(),
        lambda index: index["state"]["groups"].reverse(),
    ],
)
def test_an_index_that_does_not_fit_its_segments_is_refused_and_never_built_on(
    make_group, tmp_path, small_segments, change
):
    buffer = filled(make_group)
    save_buffer(buffer, tmp_path)
    (path,) = tmp_path.glob("index-*")
    index = json.loads(path.read_text())
    change(index)
    with_index(tmp_path, json.dumps(index).encode())
    with pytest.raises(CheckpointError):
        load_buffer(tmp_path)
    save_buffer(buffer, tmp_path / "two", previous=tmp_path)
    assert load_buffer(tmp_path / "two").state_dict() == buffer.state_dict()


def test_a_manifest_cannot_name_a_file_outside(make_group, tmp_path):
    save_buffer(filled(make_group), tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    manifest["index"]["sha256"] = "../" * 20 + "etc"
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(CheckpointError, match="manifest"):
        load_buffer(tmp_path)
