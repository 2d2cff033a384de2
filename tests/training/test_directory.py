from __future__ import annotations

import os
from pathlib import Path

import pytest

from avatar_core.config.resolve import resolve_train
from avatar_core.errors import CheckpointError, DataError, UsageError
from avatar_core.files import write_json
from avatar_core.manifest import CHECKPOINTS, write_manifest
from avatar_core.training.directory import check_directory, keep_rows, newest_checkpoint
from tests.training.runs import files_of

CONFIG = resolve_train(stage=1)


def begun(run: Path) -> Path:
    write_json(run / "config.json", CONFIG.model_dump(mode="json"))
    return run


def test_what_is_absent_or_empty_or_was_cut_short_is_accepted(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "short").mkdir()
    for name in (".lock", ".config.json.0f.tmp", "manifest.json"):
        (tmp_path / "short" / name).touch()
    for name in ("absent", "absent/below", "empty", "short"):
        check_directory(tmp_path / name, CONFIG, resume=False)
        check_directory(tmp_path / name, CONFIG, resume=True)
    assert not (tmp_path / "absent").exists()


def test_a_directory_of_something_else_is_refused_and_untouched(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", "utf-8")
    for resume in (True, False):
        with pytest.raises(UsageError, match="is not empty and holds no run"):
            check_directory(tmp_path, CONFIG, resume=resume)
    assert files_of(tmp_path) == {"notes.txt": b"mine"}


def test_a_run_is_continued_unless_that_is_not_wanted(tmp_path: Path) -> None:
    begun(tmp_path)
    check_directory(tmp_path, CONFIG, resume=True)
    with pytest.raises(UsageError, match="holds a run already"):
        check_directory(tmp_path, CONFIG, resume=False)


def test_other_settings_are_refused_with_old_and_new(tmp_path: Path) -> None:
    begun(tmp_path)
    other = resolve_train(stage=1, assignments=["optim.lr=0.5", "seed=4", "steps=999"])
    with pytest.raises(UsageError) as caught:
        check_directory(tmp_path, other, resume=True)
    assert f"optim.lr: {CONFIG.optim.lr} -> 0.5; seed: 0 -> 4)" in str(caught.value)
    assert "steps" not in str(caught.value)


@pytest.mark.parametrize("document", [{"names": ["scenes"]}, [1], {"stage": 9}])
def test_the_configuration_of_something_else_is_named(tmp_path: Path, document: object) -> None:
    write_json(tmp_path / "config.json", document)
    with pytest.raises(UsageError, match=r"config.json is not that of a training run"):
        check_directory(tmp_path, CONFIG, resume=True)


def test_a_place_that_cannot_be_written_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"file is no directory that can be written"):
        check_directory(tmp_path / "file" / "run", CONFIG, resume=True)
    # Root may write anywhere, so that permissions cannot be tried out.
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(UsageError, match="is no directory that can be written"):
        check_directory(tmp_path / "run", CONFIG, resume=True)


def test_later_rows_and_a_torn_line_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    rows = ['{"step":1,"loss":5e-324}', '{"step":2,"loss":null}', '{"step":3,"loss":0.1}']
    path.write_text("\n".join(rows) + '\n{"step":4', "utf-8")
    keep_rows(path, up_to=2)
    assert path.read_text("utf-8") == f"{rows[0]}\n{rows[1]}\n"
    keep_rows(tmp_path / "absent.jsonl", up_to=2)
    assert sorted(files_of(tmp_path)) == ["metrics.jsonl"]


def test_a_row_without_a_step_names_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step":1}\n{"loss":1.0}\n', "utf-8")
    with pytest.raises(DataError, match=r"metrics.jsonl:2: .*step"):
        keep_rows(path, up_to=2)


def test_a_path_that_cannot_be_is_refused_as_one(tmp_path: Path) -> None:
    for name in ("x" * 300, f"absent/{'x' * 300}/run", "a/" * 2100):
        with pytest.raises(UsageError, match=r"^--out .*cannot be used as a path .*too long"):
            check_directory(tmp_path / name, CONFIG, resume=True)
    assert list(tmp_path.iterdir()) == []


def test_a_run_goes_on_from_its_newest_sound_checkpoint(tmp_path: Path) -> None:
    assert newest_checkpoint(tmp_path / "absent") is None
    for step in (3, 20):
        folder = tmp_path / CHECKPOINTS / f"step-{step}"
        write_json(folder / "state.json", {"step": step})
        write_manifest(folder)
    said: list[str] = []
    assert newest_checkpoint(tmp_path, said.append) == tmp_path / CHECKPOINTS / "step-20"
    assert said == []
    (tmp_path / CHECKPOINTS / "step-20" / "state.json").write_text("{}", "utf-8")
    assert newest_checkpoint(tmp_path, said.append) == tmp_path / CHECKPOINTS / "step-3"
    damaged = tmp_path / CHECKPOINTS / "step-20"
    assert said == [f"{damaged}: damaged; going on from step-3, the newest sound checkpoint"]
    (tmp_path / CHECKPOINTS / "step-3" / "state.json").unlink()
    with pytest.raises(CheckpointError, match="no checkpoint is sound; remove the folder"):
        newest_checkpoint(tmp_path)
