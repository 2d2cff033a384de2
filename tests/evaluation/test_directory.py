from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from avatar_core.benchmarks import find
from avatar_core.config.evaluate import FREE_ON_RESUME, EvalConfig, ServedConfig
from avatar_core.config.media import MediaConfig
from avatar_core.config.resolve import dotted_keys
from avatar_core.evaluation.directory import changed_settings, check_directory, result_directory
from avatar_core.files import write_json

SCENES = find("scenes")


def config(**changes: Any) -> EvalConfig:
    return EvalConfig(**{"names": ("scenes",), "media": MediaConfig(), **changes})


def test_default_directories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    checkpoint = Path("runs") / "stage1" / "checkpoints" / "step-40"
    checkpoint.mkdir(parents=True)
    expected = {
        "tiny": "tiny/scenes",
        "runs/stage1": "stage1/scenes",
        "runs/stage1/": "stage1/scenes",
        str(checkpoint): "stage1-step-40/scenes",
        "org/name": "org--name/scenes",
        "../..": f"{tmp_path.parents[1].name}/scenes",
        "/..": "model/scenes",
    }
    for model, where in expected.items():
        found = result_directory(config(model=model), SCENES)
        assert found == Path("runs") / "eval" / where
    assert result_directory(config(stage=2, blank=("sound",)), SCENES).name == (
        "scenes-stage2-no-sound"
    )
    chosen = config(subset="adaptation", prompt="think", question_only=True)
    assert (
        result_directory(chosen, find("video_mmmu")).name
        == "video_mmmu-adaptation-think-question-only"
    )


def test_several_benchmarks_share_an_out_directory() -> None:
    both = config(names=("scenes", "mmvu"), out=Path("out"))
    assert result_directory(both, find("mmvu")) == Path("out") / "mmvu"
    assert result_directory(config(out=Path("out")), SCENES) == Path("out")


def test_every_field_is_free_or_frozen(tmp_path: Path) -> None:
    stored = tmp_path / "config.json"
    changes: dict[str, Any] = {
        "names": ("other",),
        "model": "other",
        "data_root": Path("x"),
        "split": "validation",
        "subset": "mc",
        "mode": "long",
        "question_only": True,
        "prompt": "think",
        "backend": "openai",
        "served": ServedConfig(url="http://127.0.0.1:1/v1", model="x"),
        "download": True,
        "stage": 2,
        "limit": 3,
        "sample_seed": 1,
        "batch_size": 3,
        "audio": "off",
        "max_new_tokens": 3,
        "blank": ("frames",),
        "system_prompt": "x",
        "out": Path("x"),
        "resume": False,
        "allow_missing": True,
        "media": MediaConfig(fps=9.0),
        "fps": 3.0,
        "max_frames": 9,
        "max_pixels": 9000,
    }
    assert changes.keys() == EvalConfig.model_fields.keys()
    write_json(stored, config().model_dump(mode="json"))
    for name in changes:
        # A server is named by its backend, so these two change together.
        pair = ("backend", "served") if name in ("backend", "served") else (name,)
        frozen = changed_settings(stored, config(**{key: changes[key] for key in pair}))
        assert bool(frozen) == (name not in FREE_ON_RESUME)
    workers = config(media=MediaConfig(workers=2, cache_bytes=0))
    assert changed_settings(stored, workers) == []
    nested = {*dotted_keys(MediaConfig, "media."), *dotted_keys(ServedConfig, "served.")}
    known = {*EvalConfig.model_fields, *nested}
    assert known >= FREE_ON_RESUME


def test_a_start_cut_short_may_be_repeated(tmp_path: Path) -> None:
    (tmp_path / ".lock").write_text("1")
    (tmp_path / "manifest.json").write_text("{}")
    check_directory(tmp_path, config())
    check_directory(tmp_path / "new" / "deep", config())
    assert not (tmp_path / "new").exists()
