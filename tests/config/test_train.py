"""The training configuration: what may change on resume, ranges, and rules across fields."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from avatar_core.config.judge import JUDGE_FREE_ON_RESUME
from avatar_core.config.resolve import dotted_keys, flatten
from avatar_core.config.train import FREE_ON_RESUME, TrainConfig


def is_free(key: str) -> bool:
    return key in FREE_ON_RESUME or key.split(".")[0] in FREE_ON_RESUME


def test_the_fields_that_may_change_on_resume_are_these() -> None:
    keys = set(dotted_keys(TrainConfig))
    assert len(keys) > 50
    assert {key for key in keys if is_free(key)} == {
        "steps",
        "out",
        "checkpoint.every",
        "checkpoint.keep",
        "media.workers",
        "media.cache_bytes",
        *JUDGE_FREE_ON_RESUME,
    }
    assert len(JUDGE_FREE_ON_RESUME) == 9
    # A name in the list that no field has would free nothing and look as if it did.
    assert all(any(key.split(".")[0] == f or key == f for key in keys) for f in FREE_ON_RESUME)


def test_every_field_says_what_it_means() -> None:
    def models(kind: type[TrainConfig]) -> int:
        told = 0
        for name, info in kind.model_fields.items():
            section = info.annotation
            if isinstance(section, type) and hasattr(section, "model_fields"):
                assert section.__doc__, name
                told += models(section)
            else:
                assert info.description, name
                told += 1
        return told

    assert models(TrainConfig) == len(set(dotted_keys(TrainConfig)))


def test_the_defaults_are_a_configuration() -> None:
    config = TrainConfig()
    assert flatten(config.model_dump())["lora.rank"] == 8
    assert flatten(config.model_dump())["lora.alpha"] == 32
    assert config.reward.weights == {"format": 0.5, "accuracy": 0.5}


def test_a_configuration_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        TrainConfig().steps = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    "values",
    [
        {"stage": 4},
        {"stage": -1},
        {"steps": 0},
        {"seed": -1},
        {"seed": 2**32},
        {"tuning": "half"},
        {"lora": {"rank": 0}},
        {"lora": {"alpha": 0}},
        {"optim": {"lr": 0.0}},
        {"optim": {"lr": float("nan")}},
        {"optim": {"warmup": 1.5}},
        {"loss": {"clip_low": 1.0}},
        {"loss": {"beta": -0.1}},
        {"sampling": {"temperature": 0.0}},
        {"sampling": {"top_p": 0.0}},
        {"rollout": {"group_size": 1}},
        {"advantage": {"tas_shape": "bell"}},
        {"media": {"audio": "loud"}},
        {"unknown": 1},
        {"lora": {"dropout": 0.1}},
    ],
)
def test_values_out_of_range_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TrainConfig.model_validate(values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"rollout": {"fresh_per_group": 9, "group_size": 8}}, "rollout.fresh_per_group=9 exceeds"),
        ({"replay": {"min_fill": 11, "capacity": 10}}, "replay.min_fill=11 exceeds"),
        ({"replay": {"ratios": (0.5, 0.5, 0.5)}}, r"replay.ratios=\[0.5, 0.5, 0.5\] must be three"),
        ({"replay": {"ratios": (-0.5, 0.5, 1.0)}}, r"replay.ratios=\[-0.5, 0.5, 1.0\] must be"),
        ({"loss": {"ratio_cap": 1.1, "clip_high": 0.2}}, "loss.ratio_cap=1.1 is below"),
    ],
)
def test_fields_that_contradict_each_other_are_refused(
    values: dict[str, object], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        TrainConfig.model_validate(values)
