from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from avatar_core.benchmarks import Published
from avatar_core.config.evaluate import EvalConfig
from avatar_core.config.media import MediaConfig
from avatar_core.errors import DataError, TooManyFailures, UsageError
from avatar_core.evaluation.jobs import Job, make_job
from avatar_core.run_settings import RunSettings
from tests.benchmarks.kit import cg_av_counting, daily_omni, mmvu

SETTINGS = RunSettings("x", MediaConfig(), "As trained.", 96)


def job(name: str, root: Path, **changes: Any) -> Job:
    config = EvalConfig(**{"names": (name,), "data_root": root, "allow_missing": True, **changes})
    return make_job(config, name, SETTINGS)


def test_missing_media_stop_before_a_model_loads_unless_allowed(tmp_path: Path) -> None:
    mmvu.write(tmp_path, "hub")
    with pytest.raises(TooManyFailures) as caught:
        job("mmvu", tmp_path, allow_missing=False)
    said = str(caught.value)
    assert "mmvu: media of 1 of" in said
    assert ".mp4; put them there, or --allow-missing" in said
    assert "validation.json" in said
    missing = [task for task in job("mmvu", tmp_path).tasks if task.missing]
    assert len(missing) == 1
    assert missing[0].missing[0] in said


def test_missing_data_name_the_tree(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"validation\.json"):
        job("mmvu", tmp_path)


def test_a_system_text_is_that_of_the_wording_and_as_trained_for_reasoning(tmp_path: Path) -> None:
    daily_omni.write(tmp_path, "hub")
    authors = job("daily_omni", tmp_path, prompt="authors").config
    assert authors.system_prompt is not None
    assert authors.system_prompt.startswith("You are Qwen")
    assert job("daily_omni", tmp_path).config.system_prompt == ""
    assert job("daily_omni", tmp_path, prompt="think").config.system_prompt == "As trained."
    assert (
        job("daily_omni", tmp_path, prompt="authors", system_prompt="").config.system_prompt == ""
    )
    assert (authors.prompt, authors.max_new_tokens, authors.names) == (
        "authors",
        96,
        ("daily_omni",),
    )


def test_headline_and_published_figures_belong_to_a_mode(tmp_path: Path) -> None:
    cg_av_counting.write(tmp_path, "hub")
    counts, clues = (job("cg_av_counting", tmp_path, mode=mode) for mode in (None, "clue"))
    assert (counts.measure.name, clues.measure.name) == ("accuracy", "wcs")
    # A miniature is not the benchmark; as many items as it has would be.
    assert counts.published is None
    whole = list(counts.tasks) * 1027
    assert counts._replace(tasks=whole).published == Published(22.3, 22.8, 23.1)
    assert clues._replace(tasks=whole).published is None
    for changes in ({"question_only": True}, {"limit": 2}, {"blank": ("sound",)}):
        part = job("cg_av_counting", tmp_path, **changes)
        assert part._replace(tasks=whole).published is None


def test_frames_and_pixels_are_laid_over_those_of_training(tmp_path: Path) -> None:
    daily_omni.write(tmp_path, "hub")
    given = job("daily_omni", tmp_path, fps=1.0, max_frames=64, max_pixels=3136).config
    assert given.media == MediaConfig(fps=1.0, max_frames=64, max_pixels=3136)
    assert (given.fps, given.max_frames, given.max_pixels) == (None, None, None)
    assert job("daily_omni", tmp_path).config.media == SETTINGS.media
    with pytest.raises(UsageError, match="max_frames"):
        job("daily_omni", tmp_path, max_frames=1)
