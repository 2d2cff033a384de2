"""What each preset rewards, stage by stage, and where the release differs from the paper."""

from __future__ import annotations

import pytest

from avatar_core.config.resolve import flatten, resolve_train
from avatar_core.config.train import TrainConfig

PAPER = {
    1: {"format": 0.5, "accuracy": 0.5},
    2: {"format": 0.2, "accuracy": 0.4, "self": 0.4},
    3: {"format": 0.5, "judge": 0.5, "accuracy": 0.0},
}
RELEASE = {
    1: {"format": 0.5, "accuracy": 1.0},
    2: {"format": 0.5, "self": 1.0, "accuracy": 0.0},
    3: {"format": 0.5, "judge": 1.0, "accuracy": 0.0},
}


def preset(name: str, stage: int, model: str = "some/model") -> TrainConfig:
    return resolve_train(stage=stage, preset=name, flags={"model": model})


@pytest.mark.parametrize(
    ("name", "weights"), [("paper", PAPER), ("grpo", PAPER), ("release", RELEASE)]
)
@pytest.mark.parametrize("model", ["some/model", "tiny"])
def test_weights_of_every_stage(name: str, weights: dict[int, object], model: str) -> None:
    found = {stage: preset(name, stage, model).reward.weights for stage in (1, 2, 3)}
    assert found == weights


@pytest.mark.parametrize("name", ["paper", "grpo", "release"])
def test_the_authors_hyper_parameters(name: str) -> None:
    for stage in (1, 2, 3):
        config = preset(name, stage)
        assert (config.tuning, config.lora.rank, config.lora.alpha) == ("lora", 8, 32)
        assert (config.optim.lr, config.optim.warmup) == (5e-7, 0.05)
        assert (config.loss.beta, config.loss.clip_low, config.loss.clip_high) == (0.1, 0.2, 0.2)
        sampling = config.sampling
        assert (sampling.temperature, sampling.top_k, sampling.top_p) == (1.0, 50, 1.0)
        assert sampling.max_new_tokens == 2048
        media = config.media
        assert (media.max_frames, media.max_pixels, media.image_max_pixels) == (16, 50176, 401408)
        assert (config.rollout.group_size, config.checkpoint.every) == (8, 250)


def test_the_release_differs_from_the_paper_in_these() -> None:
    paper = flatten(preset("paper", 1).model_dump(mode="json"))
    release = flatten(preset("release", 1).model_dump(mode="json"))
    assert {key: release[key] for key in release if release[key] != paper.get(key)} == {
        "preset": "release",
        "reward.weights.accuracy": 1.0,
        "reward.format_values": "binary",
        "reward.numerical": "strict",
        "reward.self_ties": "first",
        "judge.unparsed": "zero",
        "rollout.discard": True,
        "advantage.vcrs_scale": "none",
        "loss.kl_weights": "none",
        "replay.priority": "release",
        "replay.min_fill": 10,
        "hints.rule": "zero_streak",
        "hints.place": "system",
    }


def test_grpo_is_the_paper_without_what_avatar_adds() -> None:
    paper = flatten(preset("paper", 1).model_dump(mode="json"))
    grpo = flatten(preset("grpo", 1).model_dump(mode="json"))
    assert {key: grpo[key] for key in grpo if grpo[key] != paper.get(key)} == {
        "preset": "grpo",
        "rollout.fresh_per_group": 8,
        "replay.enabled": False,
        "hints.enabled": False,
        "advantage.tas_lambda": 0.0,
    }
