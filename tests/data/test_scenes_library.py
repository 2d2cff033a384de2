"""Samples and their clips on disk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from avatar_core.data.leak import leaks
from avatar_core.data.scenes import cache_directory, library, make_scene, scene_samples
from avatar_core.data.scenes.library import render_missing
from avatar_core.data.scenes.render import clip_name, encode_clip
from avatar_core.errors import DiskError


def test_samples_have_stable_ids_and_complete_fields(tmp_path: Path) -> None:
    samples = scene_samples(split="test", stage=0, count=20, seed=5, root=tmp_path, start=3)
    assert [sample.id for sample in samples] == [f"scenes/test/5/0/{n}" for n in range(3, 23)]
    for index, sample in enumerate(samples, start=3):
        scene, question = make_scene(5, "test", index, 0)
        assert (sample.question, sample.solution) == (question.text, question.solution)
        assert (sample.stage, sample.family) == (question.stage, question.template)
        assert sample.extra["facts"] == scene.facts()
        assert sample.extra["level"] == question.level
        assert sample.extra["answer"] == question.answer
        assert json.loads(json.dumps(dict(sample.extra))) == sample.extra
        assert Path(sample.media[0].path).read_bytes() == encode_clip(scene)


def test_longer_stretch_begins_with_the_shorter_one(tmp_path: Path) -> None:
    short = scene_samples(split="train", stage=2, count=4, root=tmp_path)
    assert scene_samples(split="train", stage=2, count=8, root=tmp_path)[:4] == short


def test_second_call_renders_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = scene_samples(split="train", stage=1, count=8, root=tmp_path)
    monkeypatch.setattr(library, "write_clip", lambda *_: pytest.fail("rendered again"))
    assert scene_samples(split="train", stage=1, count=8, root=tmp_path) == first
    assert len(list((tmp_path / "clips").iterdir())) == 8


def test_processes_write_the_same_files_as_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "_WORTH_A_PROCESS", 6)
    scenes = [make_scene(0, "train", index, 0).scene for index in range(12)]
    render_missing(tmp_path / "clips", scenes, workers=2)
    files = {path.name: path.read_bytes() for path in (tmp_path / "clips").iterdir()}
    assert files == {clip_name(scene): encode_clip(scene) for scene in scenes}
    assert len(files) == 12


def test_failure_of_a_process_is_a_disk_error_with_its_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "_WORTH_A_PROCESS", 2)
    (tmp_path / "clips").write_text("a file where the directory should be")
    scenes = [make_scene(0, "train", index, 0).scene for index in range(4)]
    with pytest.raises(DiskError, match="cannot write: File exists"):
        render_missing(tmp_path / "clips", scenes, workers=2)


def test_cache_directory_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    monkeypatch.delenv("AVATAR_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert cache_directory() == Path("/home/someone/.cache/avatar/scenes")
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert cache_directory() == Path("/caches/avatar/scenes")
    monkeypatch.setenv("AVATAR_CACHE", "/mine")
    assert cache_directory() == Path("/mine/scenes")


def test_the_hardest_questions_on_sounds_have_a_hint_that_gives_nothing_away(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(library, "render_missing", lambda *_: None)
    samples = scene_samples(split="train", stage=3, count=900, root=tmp_path)
    hinted = [sample for sample in samples if sample.hint is not None]
    # Levels are even in stage 3: a third of 900, and its standard deviation is 14.
    assert 240 < len(hinted) < 360
    assert {sample.family for sample in hinted} == {"where", "which", "sounding"}
    assert {sample.extra["level"] for sample in hinted} == {3}
    assert not any(leaks(sample.hint or "", sample) for sample in hinted)
    assert not any(
        sample.hint for sample in scene_samples(split="train", stage=2, count=60, root=tmp_path)
    )
