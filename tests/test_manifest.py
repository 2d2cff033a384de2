"""Manifests name what is damaged; sound checkpoints come newest first."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from avatar_core.errors import CheckpointError
from avatar_core.manifest import (
    CHECKPOINTS,
    NAME,
    is_sound,
    sound_checkpoints,
    verify_manifest,
    write_manifest,
)


def make_checkpoint(directory: Path) -> Path:
    (directory / "trainer" / "replay").mkdir(parents=True)
    (directory / "model.safetensors").write_bytes(bytes(range(200)))
    (directory / "trainer" / "state.json").write_text('{"step": 3}')
    (directory / "trainer" / "replay" / "empty.jsonl").write_bytes(b"")
    write_manifest(directory)
    return directory


def flip(path: Path, place: int, bit: int = 1) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= bit
    path.write_bytes(data)


def test_what_is_written(tmp_path: Path) -> None:
    document = json.loads((make_checkpoint(tmp_path) / NAME).read_text())
    # SHA-256 of nothing begins e3b0c442; the manifest does not list itself.
    empty = document["files"].pop("trainer/replay/empty.jsonl")
    assert empty["bytes"] == 0
    assert empty["sha256"].startswith("e3b0c44298fc1c14")
    assert document["files"].keys() == {"model.safetensors", "trainer/state.json"}
    assert document["files"]["model.safetensors"]["bytes"] == 200
    verify_manifest(tmp_path)


def test_every_flipped_byte_is_found_and_its_file_named(tmp_path: Path) -> None:
    make_checkpoint(tmp_path)
    cases = 0
    for name in ("model.safetensors", "trainer/state.json"):
        path = tmp_path / name
        for place in range(path.stat().st_size):
            flip(path, place)
            with pytest.raises(CheckpointError, match=f"{name}: differs"):
                verify_manifest(tmp_path)
            flip(path, place)
            cases += 1
    # 200 bytes of weights, 11 of state.
    assert cases == 211
    verify_manifest(tmp_path)


def test_no_byte_of_the_manifest_can_be_flipped_into_a_crash(tmp_path: Path) -> None:
    path = make_checkpoint(tmp_path) / NAME
    found, size = 0, path.stat().st_size
    for place in range(size):
        bit = 128 if place % 3 == 0 else 1
        flip(path, place, bit)
        try:
            verify_manifest(tmp_path)
        except CheckpointError:
            found += 1
        flip(path, place, bit)
    assert size > 300
    # What passes is white space and the schema number, which no file depends on.
    assert found > 0.8 * size


def test_missing_files_are_named(tmp_path: Path) -> None:
    make_checkpoint(tmp_path)
    (tmp_path / "trainer" / "state.json").unlink()
    with pytest.raises(CheckpointError, match=r"trainer/state\.json: missing") as caught:
        verify_manifest(tmp_path)
    assert caught.value.exit_code == 4


def test_longer_and_shorter_files_are_found(tmp_path: Path) -> None:
    path = make_checkpoint(tmp_path) / "model.safetensors"
    whole = path.read_bytes()
    for data in (whole[:-1], whole + b"\0", b""):
        path.write_bytes(data)
        with pytest.raises(CheckpointError, match="differs"):
            verify_manifest(tmp_path)


def test_a_directory_without_manifest_is_not_sound(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="missing or unreadable"):
        verify_manifest(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"files": 3}', '{"files": {"a": 3}}'])
def test_a_manifest_that_is_none_is_not_sound(tmp_path: Path, text: str) -> None:
    (tmp_path / NAME).write_text(text)
    with pytest.raises(CheckpointError, match="missing or unreadable"):
        verify_manifest(tmp_path)


def test_an_unreadable_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_checkpoint(tmp_path)

    def broken(_path: Path) -> str:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("avatar_core.manifest.file_digest", broken)
    with pytest.raises(CheckpointError, match="cannot be read"):
        verify_manifest(tmp_path)


def test_sound_checkpoints_come_newest_first(tmp_path: Path) -> None:
    assert sound_checkpoints(tmp_path) == []
    folder = tmp_path / "checkpoints"
    for step in (2, 9, 10, 100):
        make_checkpoint(folder / f"step-{step}")
    # By number, not by name: 100, 10, 9, 2.
    found = [path.name for path in sound_checkpoints(tmp_path)]
    assert found == ["step-100", "step-10", "step-9", "step-2"]
    flip(folder / "step-100" / "model.safetensors", 7)
    (folder / "step-9" / NAME).unlink()
    # Neither an unfinished directory nor a stray file counts.
    shutil.copytree(folder / "step-10", folder / ".step-11.0a.tmp")
    shutil.copytree(folder / "step-10", folder / "step-last")
    (folder / "step-12").write_text("")
    assert [path.name for path in sound_checkpoints(tmp_path)] == ["step-10", "step-2"]


def test_no_more_checkpoints_are_read_than_are_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = {s: make_checkpoint(tmp_path / CHECKPOINTS / f"step-{s}") for s in (1, 2, 3, 4, 5)}
    flip(paths[5] / "model.safetensors", 7)
    read: list[str] = []

    def verify(directory: Path) -> None:
        read.append(directory.name)
        verify_manifest(directory)

    monkeypatch.setattr("avatar_core.manifest.verify_manifest", verify)
    assert sound_checkpoints(tmp_path, at_most=1) == [paths[4]]
    assert read == ["step-5", "step-4"]
    read.clear()
    trusted = {paths[5], paths[3]}
    found = sound_checkpoints(tmp_path, at_most=3, trusted=trusted)
    assert found == [paths[5], paths[4], paths[3]]
    assert read == ["step-4"]


def test_what_is_not_there_is_not_sound(tmp_path: Path) -> None:
    assert not is_sound(tmp_path / "absent")
    assert is_sound(make_checkpoint(tmp_path / "whole"))
