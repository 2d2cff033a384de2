from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from avatar_core.asking import Asker
from avatar_core.data.scenes import scene_samples
from avatar_core.evaluation import batching
from avatar_core.evaluation.batching import (
    LARGEST,
    batch_within,
    fitting_batch,
    free_memory,
    item_bytes,
    spread,
)
from avatar_core.evaluation.tasks import sample_tasks
from avatar_core.media import MediaLoader
from avatar_core.models.loading import load_policy
from avatar_core.run_settings import run_settings
from avatar_core.types import MediaRef, Sample


def test_the_batch_is_the_largest_power_of_two_in_half_the_memory() -> None:
    # Half of 6,400 bytes holds 32 items of 100; half of 6,399 holds 31, so 16 are taken.
    cases = {6400: 32, 6399: 16, 640_000: LARGEST, 1600: 8, 400: 2, 399: 1, 0: 1}
    assert {free: batch_within(free, 100) for free in cases} == cases


def test_bytes_of_an_item_by_hand() -> None:
    config: Any = SimpleNamespace(
        hidden_size=8,
        num_attention_heads=4,
        num_key_value_heads=2,
        num_hidden_layers=3,
        intermediate_size=10,
        vocab_size=5,
    )
    # A token keeps 2 (key, value) · 3 layers · 2 heads · 2 wide = 24 numbers and passes through
    # 8 · 8 + 2 · 10 = 84. 7 tokens of 108 numbers of 2 bytes are 1,512; scores are 3 · 5 · 4 = 60.
    assert item_bytes(config, 7, 2) == 1572


def test_probed_prompts_are_spread() -> None:
    samples = sample_tasks([Sample(str(n), "?", (), "1", "numerical") for n in range(20)])
    # 20 over 8 is 2.5, so every third: 0, 3, … 18.
    assert [s.id for s in spread(samples, 8)] == ["0", "3", "6", "9", "12", "15", "18"]
    assert spread(samples[:5], 8) == samples[:5]


def test_the_machine_says_how_much_is_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stated = tmp_path / "meminfo"
    stated.write_text("MemTotal:  9 kB\nMemFree:  1 kB\nMemAvailable:     3 kB\n")
    monkeypatch.setattr(batching, "Path", lambda _: stated)
    assert free_memory(torch.device("cpu")) == 3 * 1024
    stated.unlink()
    assert free_memory(torch.device("cpu")) == batching.UNKNOWN_MEMORY


def test_longer_prompts_and_less_memory_make_smaller_batches(
    run: Path, clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = scene_samples(split="test", stage=2, count=2, root=clips)
    longer = [samples[0], replace(samples[1], question="Which one? " * 2000)]
    gone = [replace(samples[0], media=(MediaRef("video", str(tmp_path / "gone.mp4")),))]
    settings = run_settings(str(run))
    policy = load_policy(settings.checkpoint, device="cpu")
    with MediaLoader(settings.media) as loader:
        asker = Asker(policy, loader, system_prompt="Answer.")

        def chosen(items: Sequence[Sample], free: int, limit: int = 6) -> int:
            monkeypatch.setattr(batching, "free_memory", lambda _: free)
            return fitting_batch(policy, asker, sample_tasks(items), max_new_tokens=limit)

        # A token takes 8,192 bytes, so 8 MB, half of what is free, hold some 1,000 of them. An item
        # has about 100; the long question has 10,000 and the long answer 6,000.
        sizes = [
            chosen(samples, 8 << 30),
            chosen(samples, 16 << 20),
            chosen(longer, 16 << 20),
            chosen(samples, 16 << 20, 6000),
            chosen([*gone, *samples], 8 << 30),
            chosen(gone, 8 << 30),
        ]
    assert sizes[0] == sizes[4] == LARGEST
    assert sizes[1] == 8
    assert sizes[2] == sizes[3] == sizes[5] == 1
