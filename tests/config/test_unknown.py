"""A key that does not exist leads to the one that was meant, or to where all of them are."""

from __future__ import annotations

import pytest

from avatar_core.config.resolve import dotted_keys
from avatar_core.config.train import TrainConfig
from avatar_core.config.unknown import ELSEWHERE, instead, meant

KEYS = list(dotted_keys(TrainConfig))


def test_names_of_other_programs_lead_to_settings_that_exist() -> None:
    for name, key in ELSEWHERE.items():
        assert name not in KEYS
        assert key in KEYS
        assert meant(name, KEYS) == key
        assert meant(f"optim.{name}", KEYS) == key
    assert len(ELSEWHERE) >= 25


@pytest.mark.parametrize(
    ("key", "found"),
    [
        # The same last word counts, whatever the section.
        ("max_grad_norm", "optim.max_grad_norm"),
        ("optimizer.warmup", "optim.warmup"),
        # Of keys with that word the nearest: "replay.window" or "rollout.window"?
        ("rolloutt.window", "rollout.window"),
        # Shares of matching characters: 2 x 5 / (9 + 5) = 0.71, 2 x 14 / (14 + 14) less the
        # underscore for the dot = 0.93.
        ("max_steps", "steps"),
        ("reward_weights", "reward.weights"),
        # 2 x 5 / (10 + 5) = 0.67 and less is no misspelling.
        ("some_steps", None),
        ("num_train_epochs", None),
        ("colour", None),
        ("", None),
    ],
)
def test_what_an_unknown_key_may_have_meant(key: str, found: str | None) -> None:
    assert meant(key, KEYS) == found


def test_a_name_of_another_program_is_no_help_where_its_setting_is_missing() -> None:
    assert meant("learning_rate", ["steps", "seed"]) is None


def test_without_a_near_key_the_message_says_where_the_keys_are() -> None:
    assert instead("learning_rate", KEYS, training=True) == "did you mean 'optim.lr'?"
    assert instead("colour", KEYS, training=True) == (
        "`avatar train --stage 1 --dry-run` prints all keys, docs/presets.md explains them"
    )
    assert instead("colour", ["fps", "reader"], training=False) == "known: fps, reader"
