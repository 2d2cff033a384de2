"""Sizes of models and prompts, found without loading a weight."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from avatar_core.config.resolve import resolve_train
from avatar_core.models.loading import load_policy
from avatar_core.training.data import Data
from avatar_core.training.memory_inputs import (
    directory_of,
    empty_model,
    estimate_runs,
    process_memory,
    prompt_size,
    stored_width,
    thinker_of,
)
from avatar_core.types import MediaRef, Sample
from tests.media.clips import write_clip
from tests.models.full_shape import NARROW, write_checkpoint
from tests.training.runs import small


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    empty_model.cache_clear()


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("base")
    load_policy("tiny", device="cpu").save(directory)
    return directory


def test_parameters_are_those_of_the_loaded_model(base: Path) -> None:
    policy = load_policy(str(base), device="cpu")
    empty = empty_model(str(base))
    assert empty is not None and empty.policy.device.type == "meta"
    found = thinker_of(empty.policy.model, 0)
    assert found.parameters == found.trained == sum(p.numel() for p in policy.model.parameters())
    policy.add_adapter(5, 10)
    trained = sum(parameter.numel() for parameter in policy.parameters())
    assert thinker_of(empty.policy.model, 5).trained == trained > 0
    assert thinker_of(empty.policy.model, 5).parameters == found.parameters


def test_a_whole_published_checkpoint_is_read_as_its_thinker(tmp_path: Path) -> None:
    directory = write_checkpoint(tmp_path / "omni", NARROW)
    empty = empty_model(str(directory))
    assert empty is not None and empty.width == 2
    found = thinker_of(empty.policy.model, 0)
    assert (found.text.hidden, found.text.inner, found.text.keys) == (128, 256, 128)
    assert (found.vocabulary, found.vision.depth, found.audio.depth) == (152_064, 2, 1)
    index = json.loads((directory / "model.safetensors.index.json").read_text())
    # The talker and the vocoder of that checkpoint, 16 bits too, are a hundredth of it.
    assert 2 * found.parameters == pytest.approx(index["metadata"]["total_size"], rel=0.02)


def test_files_say_how_wide_numbers_are(base: Path, tmp_path: Path) -> None:
    assert stored_width(base) == 4
    policy = load_policy("tiny", device="cpu")
    model: Any = policy.model
    model.to(torch.bfloat16)
    policy.save(tmp_path)
    assert stored_width(tmp_path) == 2


def test_an_adapter_stands_for_its_base(base: Path, tmp_path: Path) -> None:
    policy = load_policy(str(base), device="cpu")
    policy.add_adapter(4, 8)
    policy.save(tmp_path / "adapter")
    assert directory_of(str(tmp_path / "adapter")) == base.resolve()


def test_a_model_that_is_not_here_has_no_estimate(tmp_path: Path) -> None:
    assert empty_model("owner/name") is None
    config = resolve_train(stage=1, flags={"model": "owner/name", "out": str(tmp_path)})
    assert estimate_runs([config], [None]) == [None]


def test_prompts_are_measured_as_the_run_prepares_them(base: Path, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    write_clip(clip)
    shown = MediaRef("video", str(clip))
    samples = [Sample(str(n), "What? " * n, (shown,), "1", "numerical") for n in (1, 40)]
    gone = Sample("gone", "What?", (MediaRef("video", "gone.mp4"),), "1", "numerical")
    data = Data({one.id: one for one in (*samples, gone)}, [], {}, {})
    policy = load_policy(str(base), device="cpu")
    config = small(tmp_path / "run", base)
    found = prompt_size(policy, config, data, process_memory().now)
    assert found is not None
    # The longer of two that can be read.
    assert found.tokens > 80
    assert found.patches > 0 and found.prepared > 4 * 1176 * found.patches
    assert (found.traces, found.trace) == (0, 0)
    assert prompt_size(policy, config, data._replace(training={"gone": gone}), 0) is None


def test_stages_that_follow_are_taken_to_be_as_large_as_the_first(
    base: Path, tmp_path: Path
) -> None:
    first = small(tmp_path / "one", base)
    second = small(tmp_path / "two", tmp_path / "one")
    one, two = estimate_runs([first, second], [None, None])
    assert one is not None and two is not None
    assert one.phases == two.phases
    assert one.always["weights"] == two.always["weights"] > 10**6


def test_the_process_knows_its_memory() -> None:
    before = process_memory()
    block = torch.ones(64 << 20, dtype=torch.uint8)
    after = process_memory()
    assert after.now - before.now > 50 << 20
    del block
    freed = process_memory()
    assert freed.highest - freed.now > 50 << 20
