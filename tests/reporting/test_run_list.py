from __future__ import annotations

from pathlib import Path

import pytest

from avatar_core.errors import UsageError
from avatar_core.files import write_json
from avatar_core.reporting.run_list import holds_run, run_directories, runs_below


def test_a_directory_of_stages_becomes_its_stages(tmp_path: Path) -> None:
    for name in ("stage3", "stage1", "other"):
        write_json(tmp_path / name / "config.json", {})
    (tmp_path / "stage2").mkdir()
    found = run_directories([tmp_path, tmp_path / "other"])
    assert found == [tmp_path / "stage1", tmp_path / "stage3", tmp_path / "other"]


def test_a_run_stays_itself_whatever_lies_below_it(tmp_path: Path) -> None:
    write_json(tmp_path / "manifest.json", {})
    write_json(tmp_path / "stage1" / "config.json", {})
    assert run_directories([tmp_path]) == [tmp_path]
    assert holds_run(tmp_path)


def test_what_is_no_run_is_left_for_its_reader(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    assert run_directories([missing, tmp_path]) == [missing, tmp_path]


def test_a_path_that_the_system_does_not_take_is_refused(tmp_path: Path) -> None:
    # Names end at 255 bytes.
    with pytest.raises(UsageError, match=r"^RUN .*cannot be used as a path \(File name too long\)"):
        run_directories([tmp_path, tmp_path / ("x" * 256)])


def test_runs_below_are_found_by_name_up_to_a_number(tmp_path: Path) -> None:
    for name in ("b", "c", "a"):
        write_json(tmp_path / name / "config.json", {})
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    assert runs_below(tmp_path) == [tmp_path / name for name in "abc"]
    assert runs_below(tmp_path, at_most=2) == [tmp_path / "a", tmp_path / "b"]
