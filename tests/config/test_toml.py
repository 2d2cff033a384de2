from __future__ import annotations

from pathlib import Path

import pytest

from avatar_core.config.resolve import present, preset_names, resolve_train
from avatar_core.config.toml import to_toml
from avatar_core.errors import UsageError

CHANGES = (
    "loss.ratio_cap=1.5",
    "init=runs/stage0",
    "held_out.data=held.jsonl",
    'reward.weights={ "my reward" = 0.25 }',
    'rollout.system_prompt="Two\\nlines, \\"quoted\\" \\\\ and é."',
    "optim.lr=3e-7",
    "replay.ratios=[0.5, 0.25, 0.25]",
)


def test_what_is_written_resolves_to_the_same_configuration(tmp_path: Path) -> None:
    compared = 0
    for stage in range(4):
        for preset in preset_names():
            for changes in ((), CHANGES):
                given = {"stage": stage, "preset": preset, "assignments": changes}
                config = resolve_train(**given)  # type: ignore[arg-type]
                path = tmp_path / "config.toml"
                path.write_text(to_toml(config), "utf-8")
                assert resolve_train(file=path) == config
                compared += 1
    assert compared == 8 * len(preset_names()) >= 16


def test_a_flag_wins_over_the_file(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(to_toml(resolve_train(stage=2, preset="grpo")), "utf-8")
    config = resolve_train(stage=3, file=path, flags={"media": {"audio": "off", "reader": None}})
    assert (config.stage, config.preset) == (3, "grpo")
    assert (config.media.audio, config.media.reader) == ("off", "auto")


def test_no_stage_is_an_error_that_says_where_to_put_it() -> None:
    with pytest.raises(UsageError, match="Missing option '--stage': give 0 to 3, or a --config"):
        resolve_train()
    assert resolve_train(assignments=["stage=2"]).stage == 2


def test_a_preset_that_is_no_name_is_unknown() -> None:
    with pytest.raises(UsageError, match="--preset 3: unknown preset"):
        resolve_train(stage=1, assignments=["preset=3"])


def test_absent_values_are_left_out_in_sections_too() -> None:
    assert present({"a": None, "b": {"c": None, "d": 0}, "e": False}) == {"b": {"d": 0}, "e": False}
