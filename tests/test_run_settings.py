from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from avatar_core.errors import AvatarError, CheckpointError, UsageError
from avatar_core.files import write_json
from avatar_core.run_settings import refuse_missing_run, run_settings
from tests.tiny_run import MAX_NEW_TOKENS, SYSTEM_PROMPT, tiny_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_run(tmp_path_factory.mktemp("run") / "run")


def test_a_run_and_its_checkpoint_are_asked_alike(run: Path) -> None:
    checkpoint = run / "checkpoints" / "step-1"
    whole, part = run_settings(str(run)), run_settings(str(checkpoint))
    assert whole == part
    assert whole.checkpoint == str(checkpoint)
    assert (whole.system_prompt, whole.max_new_tokens) == (SYSTEM_PROMPT, MAX_NEW_TOKENS)
    assert whole.media.max_frames == 4


def test_the_newest_sound_checkpoint_counts(run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    for step in (2, 10):
        shutil.copytree(copy / "checkpoints" / "step-1", copy / "checkpoints" / f"step-{step}")
    assert run_settings(str(copy)).checkpoint.endswith("step-10")
    with (copy / "checkpoints" / "step-10" / "config.json").open("a") as file:
        file.write(" ")
    assert run_settings(str(copy)).checkpoint.endswith("step-2")


def test_other_models_get_the_defaults(run: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    shutil.copytree(run / "checkpoints" / "step-1", bare)
    tiny, large, local = (run_settings(name) for name in ("tiny", "org/name", str(bare)))
    assert (tiny.media.max_pixels, large.media.max_pixels) == (3136, 50176)
    assert (tiny.checkpoint, large.checkpoint, local.checkpoint) == ("tiny", "org/name", str(bare))
    assert local.media == large.media


def test_an_adapter_that_stands_alone_gets_the_defaults(tmp_path: Path) -> None:
    write_json(tmp_path / "adapter_config.json", {"peft_type": "LORA"})
    settings = run_settings(str(tmp_path))
    assert settings.checkpoint == str(tmp_path)
    assert settings.media == run_settings("org/name").media


def test_directories_that_are_no_model(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"holds no config.json"):
        run_settings(str(tmp_path))
    write_json(tmp_path / "config.json", {"stage": 1, "stges": 2})
    with pytest.raises(UsageError, match=r"config.json: not the configuration of a run"):
        run_settings(str(tmp_path))
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(AvatarError, match="not valid JSON"):
        run_settings(str(tmp_path))
    write_json(tmp_path / "config.json", {"stage": 1})
    with pytest.raises(CheckpointError, match="no sound checkpoint"):
        run_settings(str(tmp_path))


def test_a_directory_that_is_not_there_is_told_before_a_hub_is_asked(tmp_path: Path) -> None:
    (tmp_path / "runs" / "demo").mkdir(parents=True)
    refused = {
        "dem0": "no such run or model; did you mean 'demo'?",
        "demo/checkpoints": "no such run or model; give a run, a checkpoint directory or a hub id",
        "none/at/all": "no such run or model; give a run, a checkpoint directory or a hub id",
    }
    for name, message in refused.items():
        with pytest.raises(UsageError) as caught:
            run_settings(f"{tmp_path}/runs/{name}")
        assert str(caught.value) == f"--model {tmp_path}/runs/{name}: {message}"
    assert len(refused) == 3
    # What may be a hub id, or is there, passes.
    for name in ("tiny", "org/name", f"{tmp_path}/runs/demo"):
        refuse_missing_run(name)
    with pytest.raises(UsageError, match="--init .*: no such run or model"):
        refuse_missing_run(f"{tmp_path}/runs/dem0", "--init")
