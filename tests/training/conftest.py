"""What the tests of training share: one thread, one cache of clips, one untrained model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from avatar_core.asking import Asker
from avatar_core.config.media import MediaConfig
from avatar_core.data.scenes import scene_samples
from avatar_core.media import MediaLoader
from avatar_core.models.loading import load_policy
from avatar_core.models.qwen_omni import QwenOmniPolicy
from avatar_core.rewards import REWARDS
from avatar_core.training.rollout import Visit
from avatar_core.types import Sample
from avatar_core.wording import sample_content
from tests.training.runs import spread

MEDIA = MediaConfig(fps=2.0, min_frames=4, max_frames=4, min_pixels=3136, max_pixels=3136)


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(autouse=True, scope="session")
def clip_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    cache = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AVATAR_CACHE", str(cache))
        yield cache


@pytest.fixture(autouse=True)
def spread_reward(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(REWARDS, "spread", spread)


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained tiny model on disk, that runs start from."""
    directory = tmp_path_factory.mktemp("base")
    load_policy("tiny").save(directory)
    return directory


@pytest.fixture
def policy() -> QwenOmniPolicy:
    return load_policy("tiny")


@pytest.fixture(scope="session")
def samples(clip_cache: Path) -> list[Sample]:
    return scene_samples(split="train", stage=2, count=3)


@pytest.fixture(scope="session")
def loader() -> Iterator[MediaLoader]:
    with MediaLoader(MEDIA) as loader:
        yield loader


@pytest.fixture
def asker(policy: QwenOmniPolicy, loader: MediaLoader) -> Asker:
    return Asker(policy, loader, system_prompt=None)


@pytest.fixture
def visits(asker: Asker, samples: list[Sample]) -> list[Visit]:
    contents = [sample_content(sample) for sample in samples]
    clips = [loaded for loaded in asker.clips(contents) if isinstance(loaded, tuple)]
    return [
        Visit(sample, asker.prepare(sample, shown), shown[0].content_hash)
        for sample, shown in zip(samples, clips, strict=True)
    ]
