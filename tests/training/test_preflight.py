from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from huggingface_hub import constants

from avatar_core.config.resolve import resolve_train
from avatar_core.errors import AvatarError, CheckpointError, DataError, UsageError
from avatar_core.manifest import write_manifest
from avatar_core.training.preflight import check_inputs
from tests.training.runs import files_of, small
from tests.training.test_data import row, write_data


def test_sound_inputs_pass_and_nothing_is_written(base: Path, tmp_path: Path) -> None:
    assert check_inputs(small(tmp_path / "run", base)) is None
    assert check_inputs(resolve_train(stage=0, assignments=[f"out={tmp_path}/run"])) is None
    assert files_of(tmp_path) == {}


def test_samples_of_a_file_are_read_and_given(base: Path, tmp_path: Path) -> None:
    train = write_data(tmp_path, "train.jsonl", [row("a", "1.mp4"), row("b", "2.mp4")])
    data = check_inputs(small(tmp_path / "run", base, f"data={train}"))
    assert data is not None
    assert list(data.training) == ["a", "b"]


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
    cases = {"a/b/c": "no directory and no hub id", "owner/name": "the hub is shut off"}
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
