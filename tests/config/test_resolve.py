"""From presets, files and assignments to one configuration; errors that name the way out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tomli_w

from avatar_core.config import resolve
from avatar_core.config.resolve import (
    flatten,
    frozen_changes,
    merge,
    parse_assignment,
    preset_names,
    resolve_train,
    stage_tables,
)
from avatar_core.config.stages import resolve_stages
from avatar_core.config.train import TrainConfig
from avatar_core.errors import UsageError

MODELS = ("tiny", "some/model")


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_preset_list() -> None:
    names = preset_names()
    assert {"grpo", "paper"} <= set(names)
    assert names == sorted(names)
    # The scale of the embedded model is laid over a preset and is none itself.
    assert "tiny" not in names


def test_every_preset_resolves_for_every_stage_and_model() -> None:
    cases = 0
    for preset in preset_names():
        for stage in range(4):
            for model in MODELS:
                config = resolve_train(stage=stage, preset=preset, flags={"model": model})
                assert (config.stage, config.preset, config.model) == (stage, preset, model)
                assert config.tuning == ("full" if model == "tiny" else "lora")
                assert config.out == f"runs/stage{stage}"
                cases += 1
    assert cases == 8 * len(preset_names())


def test_every_table_of_a_preset_is_one_that_is_read() -> None:
    tables = {"all", *(f"stage{stage}" for stage in range(4))}
    for name in [*preset_names(), "tiny"]:
        document = resolve.read_preset(name)
        allowed = tables | (set(preset_names()) if name == "tiny" else set())
        assert document.keys() <= allowed, name
        for preset in document.keys() & set(preset_names()):
            assert document[preset].keys() <= tables


def test_later_sources_win(tmp_path: Path) -> None:
    file = write(tmp_path / "a.toml", "steps = 7\nseed = 7\n[optim]\nlr = 0.07\nwarmup = 0.7\n")

    def resolved(**more: Any) -> TrainConfig:
        return resolve_train(stage=1, preset="paper", **more)

    # paper.toml gives lr 5e-7 and tuning "lora"; tiny.toml, laid over it, gives tuning "full".
    assert resolved(flags={"model": "some/model"}).optim.lr == 5e-7
    assert resolved(flags={"model": "some/model"}).tuning == "lora"
    assert resolved().tuning == "full"
    assert resolved().optim.lr != 5e-7
    by_file = resolved(file=file)
    assert (by_file.steps, by_file.seed, by_file.optim.lr, by_file.optim.warmup) == (
        7,
        7,
        0.07,
        0.7,
    )
    # The file says nothing of the schedule: what lies below shows.
    assert by_file.optim.schedule == resolved().optim.schedule
    by_set = resolved(file=file, assignments=["steps=8", "optim.lr=0.08"])
    assert (by_set.steps, by_set.seed, by_set.optim.lr, by_set.optim.warmup) == (8, 7, 0.08, 0.7)
    by_flag = resolved(file=file, assignments=["steps=8"], flags={"steps": 9, "seed": None})
    assert (by_flag.steps, by_flag.seed) == (9, 7)


def test_the_last_assignment_wins() -> None:
    config = resolve_train(stage=1, assignments=["steps=3", "optim.lr=0.5", "steps=4"])
    assert (config.steps, config.optim.lr) == (4, 0.5)


def test_the_model_that_a_file_names_decides_about_the_scale(tmp_path: Path) -> None:
    file = write(tmp_path / "a.toml", 'model = "some/model"\n')
    assert resolve_train(stage=1, file=file).tuning == "lora"
    assert resolve_train(stage=1, assignments=["model=some/model"]).tuning == "lora"


def test_stage_and_preset_may_come_from_the_file(tmp_path: Path) -> None:
    file = write(tmp_path / "a.toml", 'stage = 2\npreset = "grpo"\n')
    config = resolve_train(file=file)
    assert (config.stage, config.preset, config.replay.enabled) == (2, "grpo", False)
    assert resolve_train(file=file, stage=3, preset="paper").replay.enabled
    with pytest.raises(UsageError, match="--stage"):
        resolve_train()


def test_reward_weights_replace_those_of_the_preset() -> None:
    config = resolve_train(stage=2, assignments=["reward.weights={accuracy=1.0}"])
    assert config.reward.weights == {"accuracy": 1.0}
    both = ["reward.weights.format=0.1", "reward.weights.accuracy=0.9"]
    assert resolve_train(stage=2, assignments=both).reward.weights == {
        "format": 0.1,
        "accuracy": 0.9,
    }


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("steps=5", {"steps": 5}),
        ("optim.lr=1e-4", {"optim": {"lr": 1e-4}}),
        ("replay.enabled=false", {"replay": {"enabled": False}}),
        ("replay.ratios=[0.2, 0.3, 0.5]", {"replay": {"ratios": [0.2, 0.3, 0.5]}}),
        ("data=train.jsonl", {"data": "train.jsonl"}),
        ('data="train.jsonl"', {"data": "train.jsonl"}),
        ("out=runs/a=b", {"out": "runs/a=b"}),
        (
            "rollout.system_prompt=Think, then answer.",
            {"rollout": {"system_prompt": "Think, then answer."}},
        ),
        ("rollout.system_prompt=", {"rollout": {"system_prompt": ""}}),
        (" steps = 5", {"steps": 5}),
    ],
)
def test_assignments(text: str, tree: dict[str, Any]) -> None:
    assert parse_assignment(text) == tree


@pytest.mark.parametrize("text", ["steps", "=5", " =5", ""])
def test_an_assignment_needs_key_and_value(text: str) -> None:
    with pytest.raises(UsageError, match="expected key=value"):
        parse_assignment(text)


def test_lists_reach_the_configuration() -> None:
    config = resolve_train(stage=1, assignments=["replay.ratios=[0.2, 0.3, 0.5]"])
    assert config.replay.ratios == (0.2, 0.3, 0.5)


@pytest.mark.parametrize(
    ("assignment", "nearest"),
    [
        ("optim.lrr=1", "optim.lr"),
        ("stpes=1", "steps"),
        ("warmup=1", "optim.warmup"),
        ("loss.betta=1", "loss.beta"),
        ("lora.rnk=4", "lora.rank"),
        ("optim.learning_rate=1", "optim.lr"),
    ],
)
def test_an_unknown_key_names_the_nearest(assignment: str, nearest: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolve_train(stage=1, assignments=[assignment])
    assert "unknown configuration key" in str(caught.value)
    assert f"did you mean '{nearest}'?" in str(caught.value)
    assert caught.value.exit_code == 2


def test_the_table_of_a_stage_is_laid_over_the_rest_of_its_file(tmp_path: Path) -> None:
    text = """
    steps = 7
    [reward.weights]
    accuracy = 1.0
    [stage1]
    steps = 8
    preset = "grpo"
    [stage2.reward.weights]
    format = 1.0
    [stage2.optim]
    lr = 0.2
    """
    file = write(tmp_path / "a.toml", text)
    plain, first, second = (resolve_train(stage=stage, file=file) for stage in (0, 1, 2))
    assert (plain.steps, plain.preset) == (7, "paper")
    assert (first.steps, first.preset, first.reward.weights) == (8, "grpo", {"accuracy": 1.0})
    assert (second.steps, second.optim.lr, second.reward.weights) == (7, 0.2, {"format": 1.0})
    later = resolve_train(stage=1, file=file, assignments=["steps=9"], preset="paper")
    assert (later.steps, later.preset) == (9, "paper")
    # The stage counts wherever it is named, the strongest first.
    assert resolve_train(file=file, assignments=["stage=0", "stage=1"]).steps == 8
    named = write(tmp_path / "b.toml", "stage = 1" + text)
    assert resolve_train(file=named).steps == 8
    assert resolve_train(file=named, assignments=["stage=0"]).steps == 7
    assert resolve_train(file=named, stage=0, assignments=["stage=1"]).steps == 7


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("stage1 = 3", r"configuration key stage1: is a table; write \[stage1\] above its keys"),
        ("[stage4]\nsteps = 3", "unknown configuration key 'stage4'"),
        ("[stage1]\nstep = 3", "unknown configuration key 'step'; did you mean 'steps'"),
        ("[stage3]\nout = 'x'", "key stage3.out: give out outside of the table, or --out"),
        ("[stage0]\ninit = 'x'", "key stage0.init: give init outside of the table, or --init"),
        ("[stage2]\nstage = 1", "key stage2.stage: give stage outside of the table, or --stage"),
    ],
)
def test_a_table_of_a_stage_that_cannot_be_meant(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        resolve_train(stage=1, file=write(tmp_path / "a.toml", text))


def test_stages_as_tables_resolve_to_themselves(tmp_path: Path) -> None:
    cases: list[dict[str, Any]] = [
        {},
        {"flags": {"out": "mine", "seed": 4, "tuning": "full"}, "preset": "grpo"},
        {"flags": {"init": "begin", "model": "some/model"}, "preset": "release"},
        {"assignments": ["reward.weights={ accuracy = 0.25 }", "optim.lr=3e-7"]},
    ]
    for given in cases:
        configs = resolve_stages(**given)
        tree = stage_tables(configs)
        tables = {f"stage{stage}" for stage in range(4)}
        assert tree.keys() - {"init"} == {"out"} | tables
        assert not any(tree[name].keys() & {"out", "init", "stage"} for name in tables)
        file = write(tmp_path / "all.toml", tomli_w.dumps(tree))
        assert resolve_stages(file=file) == configs
    assert len(cases) == 4


def test_an_unknown_preset_names_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"--preset papr: .*did you mean 'paper'\?"):
        resolve_train(stage=1, preset="papr")
    with pytest.raises(UsageError, match="known: .*grpo.*paper"):
        resolve_train(stage=1, preset="xyzzy")
    for name in ("tiny", "../presets/paper", "paper.toml", ""):
        with pytest.raises(UsageError, match="unknown preset"):
            resolve_train(stage=1, preset=name)


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("optim.lr=-1", "optim.lr=-1: Input should be greater than 0"),
        ("steps=many", 'steps="many": Input should be a valid integer'),
        ("optim=3", "optim=3"),
        ("model=5", "model=5: Input should be a valid string"),
        ("replay.ratios=[0.5]", "replay.ratios"),
        ("loss.level=word", "Input should be 'token' or 'sequence'"),
        ("optim.lr=nan", "finite number"),
    ],
)
def test_a_bad_value_names_key_and_value(assignment: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolve_train(stage=1, assignments=[assignment])
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_fields_that_contradict_each_other_name_both() -> None:
    with pytest.raises(UsageError, match=r"fresh_per_group=9 exceeds\s+rollout.group_size=8"):
        resolve_train(stage=1, assignments=["rollout.fresh_per_group=9"])


def test_files_that_are_no_configuration(tmp_path: Path) -> None:
    for text, message in (("steps = ", "not valid TOML"), ("[" * 5000, "not valid TOML")):
        with pytest.raises(UsageError, match=message):
            resolve_train(stage=1, file=write(tmp_path / "bad.toml", text))
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="not valid TOML"):
        resolve_train(stage=1, file=tmp_path / "bytes.toml")
    with pytest.raises(UsageError, match="cannot be read"):
        resolve_train(stage=1, file=tmp_path / "absent.toml")
    with pytest.raises(UsageError, match="cannot be read"):
        resolve_train(stage=1, file=tmp_path)


def test_a_file_larger_than_the_limit_is_refused(tmp_path: Path) -> None:
    line = "# comment\n"
    fits = "steps = 5\n" + line * ((resolve.MAX_CONFIG_BYTES - 10) // len(line))
    assert resolve_train(stage=1, file=write(tmp_path / "a.toml", fits)).steps == 5
    with pytest.raises(UsageError, match=f"larger than {resolve.MAX_CONFIG_BYTES} bytes"):
        resolve_train(stage=1, file=write(tmp_path / "b.toml", fits + line))


def test_merging_goes_key_by_key_and_leaves_its_source_alone() -> None:
    extra = {"a": {"b": {"c": 1}}}
    base: dict[str, Any] = {"a": {"d": 2}, "weights": {"x": 1}}
    merge(base, extra)
    merge(base, {"weights": {"y": 2}, "a": {"b": {"e": 3}}})
    assert base == {"a": {"d": 2, "b": {"c": 1, "e": 3}}, "weights": {"y": 2}}
    assert extra == {"a": {"b": {"c": 1}}}


def test_frozen_changes_are_listed_old_to_new() -> None:
    old = resolve_train(stage=1)
    new = resolve_train(
        stage=1,
        assignments=["seed=4", "optim.lr=0.5", "reward.weights={accuracy=1.0}", "loss.ratio_cap=2"],
    )
    lr = old.optim.lr
    assert frozen_changes(old, new) == [
        "loss.ratio_cap: None -> 2.0",
        f"optim.lr: {lr} -> 0.5",
        "reward.weights.accuracy: 0.5 -> 1.0",
        "reward.weights.format: 0.5 -> None",
        "seed: 0 -> 4",
    ]
    assert frozen_changes(old, old) == []


def test_free_fields_are_no_frozen_change() -> None:
    free = ["steps=9", "out=x", "checkpoint.every=3", "media.workers=2", "media.cache_bytes=0"]
    new = resolve_train(stage=1, assignments=free)
    assert flatten(new.model_dump())["checkpoint.every"] == 3
    assert frozen_changes(resolve_train(stage=1), new) == []
