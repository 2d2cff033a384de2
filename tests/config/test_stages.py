from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from avatar_core.config.stages import cold_start_config, resolve_stages, taught_alike
from avatar_core.errors import UsageError


def test_stages_are_chained_below_one_directory() -> None:
    configs = resolve_stages(flags={"model": "some/model"}, preset="release")
    assert [config.stage for config in configs] == [0, 1, 2, 3]
    assert {config.preset for config in configs} == {"release"}
    assert [config.out for config in configs] == [f"runs/all/stage{n}" for n in range(4)]
    assert [config.init for config in configs] == [
        None,
        "runs/all/stage0",
        "runs/all/stage1",
        "runs/all/stage2",
    ]


def test_a_file_and_flags_concern_every_stage(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('out = "there"\ninit = "begin"\nstage = 2\nsteps = 7\n', "utf-8")
    configs = resolve_stages(file=file, assignments=["optim.lr=0.5"], flags={"seed": 3})
    assert {(c.steps, c.optim.lr, c.seed) for c in configs} == {(7, 0.5, 3)}
    assert [c.stage for c in configs] == [0, 1, 2, 3]
    assert [c.init for c in configs] == ["begin", "there/stage0", "there/stage1", "there/stage2"]
    assert resolve_stages(file=file, flags={"out": "here"})[3].out == "here/stage3"


@pytest.mark.parametrize(
    ("given", "cold"),
    [
        ({}, True),
        ({"flags": {"seed": 4}}, True),
        ({"preset": "grpo"}, True),
        ({"assignments": ["reward.weights.format=0.1"]}, True),
        ({"flags": {"steps": 2}}, False),
        ({"flags": {"init": "begin"}}, False),
        ({"flags": {"model": "some/model"}}, False),
        ({"flags": {"data": "mine.jsonl"}}, False),
        ({"assignments": ["rollout.pool=9"]}, False),
        ({"assignments": ["optim.lr=0.5"]}, False),
    ],
)
def test_stage_0_is_the_cold_start_where_it_would_learn_the_same(
    given: dict[str, Any], cold: bool
) -> None:
    first = resolve_stages(**given)[0]
    assert (first == cold_start_config().model_copy(update={"out": "runs/all/stage0"})) == cold
    assert taught_alike(first, cold_start_config()) == cold


def test_what_one_stage_would_refuse_is_refused() -> None:
    with pytest.raises(UsageError, match="unknown configuration key"):
        resolve_stages(assignments=["optim.lrr=1"])
