from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from huggingface_hub import constants

from avatar_core.config.resolve import resolve_train
from avatar_core.errors import AvatarError, CheckpointError, DataError, UsageError
from avatar_core.files import read_json, write_json
from avatar_core.manifest import write_manifest
from avatar_core.models.loading import load_policy
from avatar_core.training.preflight import check_inputs, check_stages
from avatar_core.training.run import train
from tests.media.clips import write_clip
from tests.training.runs import files_of, small
from tests.training.test_data import row, write_data


def test_sound_inputs_pass_and_nothing_is_written(base: Path, tmp_path: Path) -> None:
    assert check_inputs(small(tmp_path / "run", base)) is None
    assert check_inputs(resolve_train(stage=0, assignments=[f"out={tmp_path}/run"])) is None
    assert files_of(tmp_path) == {}


def test_samples_of_a_file_are_read_and_given(base: Path, tmp_path: Path) -> None:
    rows = [row("a", "1.mp4"), row("b", "2.mp4"), row("c", "1.mp4", stage=3)]
    train = write_data(tmp_path, "train.jsonl", rows)
    for name in ("1.mp4", "2.mp4"):
        write_clip(tmp_path / name)
    said: list[str] = []
    data = check_inputs(small(tmp_path / "run", base, f"data={train}"), say=said.append)
    assert data is not None
    assert list(data.training) == ["a", "b"]
    assert said == [
        f"read 2 rows of {train} to train on",
        f"left out, as of another stage than 1: 1 row of {train}",
        "checking 2 media files",
    ]


def test_all_bad_rows_are_listed_unless_in_a_hurry(base: Path, tmp_path: Path) -> None:
    rows = [row("a", "1.mp4"), row("b", "1.mp4", question=" "), row("c", "1.mp4", solution="many")]
    train = write_data(tmp_path, "train.jsonl", rows)
    config = small(tmp_path / "run", base, f"data={train}")
    for quick, lines in ((False, 4), (True, 1)):
        with pytest.raises(DataError) as caught:
            check_inputs(config, quick=quick)
        assert len(str(caught.value).splitlines()) == lines
    # The sentence, an empty line, and the two rows in file order.
    with pytest.raises(DataError, match=r": 2 of 3 rows cannot be used\n\n.*:2: .*\n.*:3: .*"):
        check_inputs(config)


def test_questions_without_options_are_told(base: Path, tmp_path: Path) -> None:
    choice = row("a", "1.mp4", problem_type="multiple choice", solution="A")
    train = write_data(tmp_path, "train.jsonl", [choice])
    said: list[str] = []
    check_inputs(small(tmp_path / "run", base, f"data={train}"), quick=True, say=said.append)
    assert sum("options neither given nor in the question" in line for line in said) == 1


@pytest.mark.parametrize("setting", ["data", "held_out.data"])
def test_media_are_opened_unless_in_a_hurry(base: Path, tmp_path: Path, setting: str) -> None:
    train = write_data(tmp_path, "train.jsonl", [row("a", "1.mp4"), row("b", "2.mp4")])
    write_clip(tmp_path / "1.mp4")
    config = small(tmp_path / "run", base, f"{setting}={train}")
    with pytest.raises(DataError, match=r"train.jsonl:2: .*2.mp4: is damaged or not a media file"):
        check_inputs(config)
    check_inputs(config, quick=True)
    assert not (tmp_path / "run").exists()


def test_a_run_that_cannot_go_on_is_refused_unless_in_a_hurry(base: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    config = small(run, base)
    write_json(run / "config.json", config.model_dump(mode="json"))
    (run / "checkpoints" / "step-3").mkdir(parents=True)
    with pytest.raises(CheckpointError, match="no checkpoint is sound"):
        check_inputs(config)
    check_inputs(config, quick=True)


def test_media_of_a_run_that_has_begun_may_be_passed_over(base: Path, tmp_path: Path) -> None:
    train = write_data(tmp_path, "train.jsonl", [row("a", "1.mp4")])
    config = small(tmp_path / "run", base, f"data={train}")
    for begun in (False, True):
        with pytest.raises(DataError, match="is damaged or not a media file"):
            check_stages([config], survivors=not begun)
        write_json(tmp_path / "run" / "config.json", config.model_dump(mode="json"))
    (data,) = check_stages([config], survivors=True)
    assert data is not None and list(data.training) == ["a"]


def test_bad_rows_and_files_outside_are_errors(base: Path, tmp_path: Path) -> None:
    cases = {
        "solution": row("a", "1.mp4") | {"solution": None},
        "leads outside": row("a", "../1.mp4"),
        "is not in": row("a", "1.mp4"),
        "unknown problem_type": row("a", "1.mp4", problem_type="riddle"),
    }
    for number, (message, bad) in enumerate(cases.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        path = write_data(folder, "train.jsonl", [row("z", "0.mp4"), bad])
        if message == "is not in":
            (folder / "1.mp4").unlink()
        for setting in ("data", "held_out.data"):
            with pytest.raises(DataError, match=rf"train.jsonl:2: .*{message}"):
                check_inputs(small(tmp_path / "run", base, f"{setting}={path}"))
    assert number == 3


def test_rewards_must_be_known_and_one_must_count(base: Path, tmp_path: Path) -> None:
    for weights, message in (
        ("{ acuracy = 1.0 }", "unknown reward 'acuracy'; did you mean 'accuracy'?"),
        ("{ accuracy = 0.0 }", "no reward counts; give one of accuracy, format"),
        ("{}", "no reward counts"),
    ):
        settings = [f"reward.weights={weights}", f"out={tmp_path}/run", f"init={base}"]
        with pytest.raises(UsageError, match=message.replace("?", r"\?")):
            check_inputs(resolve_train(stage=1, assignments=settings))


def test_a_starting_point_that_is_not_there(base: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--init .*nowhere: no such directory"):
        check_inputs(small(tmp_path / "run", tmp_path / "nowhere"))
    (tmp_path / "hollow").mkdir()
    with pytest.raises(CheckpointError, match="holds neither a model"):
        check_inputs(small(tmp_path / "run", tmp_path / "hollow"))


def damaged(base: Path, target: Path, damage: str) -> Path:
    """A run with one checkpoint that has this fault."""
    checkpoint = target / "checkpoints" / "step-2"
    shutil.copytree(base, checkpoint)
    config = checkpoint / "config.json"
    if damage == "weights":
        (checkpoint / "model.safetensors").unlink()
    elif damage == "architecture":
        config.write_text(json.dumps({"model_type": "llama"}), "utf-8")
    elif damage == "code":
        config.write_text(json.dumps({"auto_map": {"AutoModel": "m.py"}}), "utf-8")
    write_manifest(checkpoint)
    if damage == "byte":
        config.write_bytes(config.read_bytes() + b" ")
    return target


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("weights", "holds no"),
        ("architecture", "model_type 'llama' is not supported"),
        ("code", "auto_map"),
        ("byte", "holds neither a model"),
    ],
)
def test_an_unsound_checkpoint_is_exit_code_4(
    base: Path, tmp_path: Path, damage: str, message: str
) -> None:
    run = damaged(base, tmp_path / "earlier", damage)
    with pytest.raises(CheckpointError, match=message) as caught:
        check_inputs(small(tmp_path / "run", run))
    assert caught.value.exit_code == 4


def test_a_damaged_checkpoint_is_also_found_when_named_itself(base: Path, tmp_path: Path) -> None:
    run = damaged(base, tmp_path / "earlier", "byte")
    with pytest.raises(CheckpointError, match="differs from its manifest"):
        check_inputs(small(tmp_path / "run", run / "checkpoints" / "step-2"))


def test_a_sound_run_is_a_starting_point(base: Path, tmp_path: Path) -> None:
    run = damaged(base, tmp_path / "earlier", "none")
    assert check_inputs(small(tmp_path / "run", run)) is None
    assert check_inputs(resolve_train(stage=1, assignments=[f"model={run}"])) is None


def test_a_hub_id_must_look_like_one_and_be_here_when_offline(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    cases = {
        "a/b/c": "no such run or model; give tiny, a checkpoint or owner/name",
        "a--b": "no directory and no hub id",
        "owner/name": "the hub is shut off",
    }
    for name, message in cases.items():
        with pytest.raises(UsageError, match=message):
            check_inputs(resolve_train(stage=1, assignments=[f"model={name}", f"out={tmp_path}"]))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    out = tmp_path / "run"
    assert (
        check_inputs(resolve_train(stage=1, flags={"model": "owner/name", "out": str(out)})) is None
    )


def test_every_refusal_is_one_sentence_for_the_user(base: Path, tmp_path: Path) -> None:
    bad = [
        small(tmp_path / "run", tmp_path / "nowhere"),
        small(tmp_path / "run", base, "reward.weights={ nothing = 1.0 }"),
        small(tmp_path / "run", base, f"data={tmp_path}/nothing.jsonl"),
        small(base, base),
    ]
    for config in bad:
        with pytest.raises(AvatarError) as caught:
            check_inputs(config)
        assert "\n" not in str(caught.value)
        assert caught.value.exit_code == 2


@pytest.fixture
def adapter(base: Path, tmp_path: Path) -> Path:
    """A saved adapter of rank 4 and alpha 8."""
    policy = load_policy(str(base))
    policy.add_adapter(4, 8)
    policy.save(tmp_path / "adapter")
    return tmp_path / "adapter"


def test_an_adapter_of_another_size_is_refused_before_anything_is_written(
    adapter: Path, tmp_path: Path
) -> None:
    lora = ("tuning=lora", "lora.rank=4")
    check_inputs(small(tmp_path / "run", adapter, *lora, "lora.alpha=8"))
    with pytest.raises(UsageError, match="lora.alpha=32: .*has rank 4 and alpha 8; use those"):
        train(small(tmp_path / "run", adapter, *lora))
    assert not (tmp_path / "run").exists()
    # Full tuning takes any adapter into the weights.
    check_inputs(small(tmp_path / "run", adapter))


def test_an_adapter_needs_a_base_that_is_a_model(adapter: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(adapter, other)
    named = read_json(adapter / "adapter_config.json")
    cases = {
        str(adapter): "names the adapter itself",
        str(other): "its base model .*other' cannot be used .*config.json: unreadable",
        str(tmp_path / "gone"): "its base model .*gone' cannot be used",
        "x" * 300: "its base model .* cannot be used .*File name too long",
    }
    for base, message in cases.items():
        write_json(adapter / "adapter_config.json", named | {"base_model_name_or_path": base})
        with pytest.raises(CheckpointError, match=message) as caught:
            check_inputs(small(tmp_path / "run", adapter))
        assert caught.value.exit_code == 4
    assert len(cases) == 4


def test_a_directory_of_a_model_must_be_readable(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    # Root may read anything, so that permissions cannot be tried out.
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != base)
    with pytest.raises(UsageError, match="^--init .* may not be read; mend its permissions"):
        check_inputs(small(run, base))
    with pytest.raises(UsageError, match="^--model .* may not be read"):
        check_inputs(resolve_train(stage=1, assignments=[f"model={base}", f"out={run}"]))


@pytest.mark.parametrize("data", ["scenes", "train.jsonl"])
def test_a_file_of_hints_is_opened_for_every_kind_of_data(
    base: Path, tmp_path: Path, data: str
) -> None:
    write_data(tmp_path, "train.jsonl", [row("a", "1.mp4")])
    hints = tmp_path / "hints.jsonl"
    source = data if data == "scenes" else tmp_path / data
    config = small(tmp_path / "run", base, f"data={source}", f"hints.file={hints}")
    with pytest.raises(UsageError, match=r"hints.file .*hints.jsonl: no such file; name a file"):
        check_inputs(config, quick=True)
    hints.write_text("no hints\n")
    with pytest.raises(DataError, match=r"hints.jsonl:1: not valid JSON"):
        check_inputs(config, quick=True)
    hints.write_text(json.dumps({"id": "z", "hint": "Listen.", "teacher": "t"}) + "\n")
    said: list[str] = []
    check_inputs(config, quick=True, say=said.append)
    # Which scenes there are is known once they are made.
    read = f"read 1 row of {source} to train on"
    told = f"none of the 1 hints of {hints} is for a sample of this run"
    assert said == ([] if data == "scenes" else [read, told])


def test_a_local_judge_that_is_not_there_is_refused_before_anything_is_written(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    (tmp_path / "hollow").mkdir()
    judge = ("reward.weights={ format = 1.0, judge = 0.0 }", "judge.kind=local")
    cases = {
        str(tmp_path / "gone"): "no such run or model; known: hollow",
        "./gone": "no directory and no hub id; give a model directory or owner/name",
        "~/gone": "no directory and no hub id",
        "a/b/c": "no such run or model; give a model directory or owner/name",
        str(tmp_path / "hollow"): "holds no config.json",
    }
    for name, message in cases.items():
        with pytest.raises(UsageError, match=rf"^judge.model {name}: {message}"):
            train(small(tmp_path / "run", base, *judge, f"judge.model={name}"))
    assert len(cases) == 5
    assert not (tmp_path / "run").exists()
    for name in (str(base), "owner/name"):
        check_inputs(small(tmp_path / "run", base, *judge, f"judge.model={name}"))
    # One that is not asked may be anywhere.
    check_inputs(small(tmp_path / "run", base, "judge.kind=local", "judge.model=./gone"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(UsageError, match="^judge.model owner/name: .*the hub is shut off"):
        check_inputs(small(tmp_path / "run", base, *judge, "judge.model=owner/name"))


def test_looking_at_the_inputs_of_a_run_loads_no_torch() -> None:
    code = "import sys, avatar_core.training.preflight; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
