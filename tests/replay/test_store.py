from __future__ import annotations

import json
import random
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar_core.errors import CheckpointError, DiskError
from avatar_core.replay import ReplayBuffer, load_buffer, save_buffer

REWARDS = st.one_of(st.none(), st.sampled_from([0.0, 0.5, 1.0]), st.floats(-2, 2, width=32))
INSERT = st.tuples(
    st.sampled_from("pqrstuvw"), st.lists(REWARDS, min_size=1, max_size=5), st.booleans()
)
DRAW = st.integers(0, 6)


def filled(make_group, groups: int = 30) -> ReplayBuffer:
    rng = random.Random(5)
    buffer = ReplayBuffer(min_fill=1)
    for step in range(groups):
        rewards = rng.choices([0.0, 0.5, 1.0, None], k=4)
        buffer.insert(make_group(f"p{rng.randrange(9)}", rewards, step=step))
    return buffer


def draws(buffer: ReplayBuffer, count: int = 100) -> list[tuple[object, ...]]:
    rng = random.Random(99)
    return [
        (d.number, d.member, d.tier, d.reuse, d.group.prompt_id, d.group.step)
        for _ in range(count)
        for d in buffer.draw(4, rng)
    ]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(INSERT, DRAW), max_size=40), st.integers(1, 40), st.integers(1, 3))
def test_after_a_reload_the_next_hundred_draws_are_the_same(make_group, operations, capacity, k):
    config = {"capacity": capacity, "min_fill": 1, "window": 5, "members_per_group": k}
    buffer = ReplayBuffer(**config)
    rng = random.Random(0)
    for step, operation in enumerate(operations):
        if isinstance(operation, int):
            buffer.draw(operation, rng)
        else:
            prompt_id, rewards, hinted = operation
            buffer.insert(make_group(prompt_id, rewards, step=step, hinted=hinted))
        assert len(buffer) <= capacity
        assert sum(buffer.tier_sizes().values()) == len(buffer)
    with tempfile.TemporaryDirectory() as directory:
        save_buffer(buffer, Path(directory))
        loaded = load_buffer(Path(directory), **config)
    for prompt_id in "pqrstuvw":
        assert loaded.baseline(prompt_id) == buffer.baseline(prompt_id)
        assert loaded.tier_of(prompt_id) == buffer.tier_of(prompt_id)
        assert loaded.visits(prompt_id) == buffer.visits(prompt_id)
    assert draws(loaded) == draws(buffer)
    # And both go on alike, evictions included.
    for other in (loaded, buffer):
        for step in range(10):
            other.insert(make_group("pqrstuvw"[step % 8], [0.25, 1.0], step=step))
    assert draws(loaded, 10) == draws(buffer, 10)


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
    assert len(list(tmp_path.iterdir())) == 3
    assert len(load_buffer(tmp_path)) == len(filled(make_group, 30))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    save_buffer(filled(make_group, 30), tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("kept", [1, 2])
def test_a_save_cut_short_leaves_the_old_buffer(make_group, tmp_path, monkeypatch, kept):
    old = filled(make_group, 5)
    save_buffer(old, tmp_path)
    from avatar_core.replay import store

    written: list[Path] = []
    whole = store.write_atomic

    def failing(path, content):
        if len(written) == kept:
            raise DiskError(f"{path}: cannot write")
        written.append(path)
        whole(path, content)

    monkeypatch.setattr(store, "write_atomic", failing)
    monkeypatch.setattr(store, "write_json", failing)
    with pytest.raises(DiskError):
        save_buffer(filled(make_group, 30), tmp_path)
    assert len(written) == kept
    assert draws(load_buffer(tmp_path)) == draws(old)


def test_every_flipped_byte_and_missing_file_is_noticed(make_group, tmp_path):
    save_buffer(filled(make_group), tmp_path)
    files = sorted(tmp_path.iterdir())
    assert len(files) == 3
    rng = random.Random(8)
    tried = 0
    for path in files:
        content = path.read_bytes()
        broken = (
            [content[: len(content) // 2], b"", content + b" "]
            if path.suffix != ".json"
            else [
                content[: len(content) // 2],
                b"",
            ]
        )
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
    assert tried == 22 + 22 + 23
    assert len(load_buffer(tmp_path)) > 0


@pytest.mark.parametrize("content", [b"[" * 100_000, b"[]", b"null", b"{", b"\xff", b"NaN"])
def test_a_record_file_that_matches_its_hash_but_holds_nonsense_is_refused(
    make_group, tmp_path, content
):
    import hashlib

    save_buffer(filled(make_group), tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    digest = hashlib.sha256(content).hexdigest()
    manifest["records"] = {"bytes": len(content), "sha256": digest}
    (tmp_path / f"records-{digest[:16]}.json").write_bytes(content)
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(CheckpointError):
        load_buffer(tmp_path)


def test_a_manifest_cannot_name_a_file_outside(make_group, tmp_path):
    save_buffer(filled(make_group), tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    manifest["records"]["sha256"] = "../" * 20 + "etc"
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(CheckpointError, match="manifest"):
        load_buffer(tmp_path)
