from __future__ import annotations

from pathlib import Path

import pytest

from avatar_core.errors import UsageError
from avatar_core.run_directory import CONFIG, MANIFEST, has_begun


def test_what_may_be_begun_and_what_has_begun(tmp_path: Path) -> None:
    assert not has_begun(tmp_path, "run")
    assert not has_begun(tmp_path / "new" / "deep", "run")
    assert not (tmp_path / "new").exists()
    # A start cut short leaves a lock, temporary files and a manifest.
    for name in (".lock", ".config.json.0f.tmp", MANIFEST):
        (tmp_path / name).write_text("{}")
    assert not has_begun(tmp_path, "run")
    (tmp_path / CONFIG).write_text("{}")
    (tmp_path / "rows.jsonl").write_text("")
    assert has_begun(tmp_path, "run")


def test_other_files_are_refused_by_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_text("x")
    for what in ("run", "evaluation"):
        with pytest.raises(UsageError, match=f"is not empty and holds no {what}"):
            has_begun(tmp_path, what)
    with pytest.raises(UsageError, match=r"film.mp4 is no directory that can be written"):
        has_begun(tmp_path / "film.mp4" / "out", "run")
    with pytest.raises(UsageError, match="cannot be used as a path"):
        has_begun(tmp_path / ("x" * 300), "run")


def test_a_directory_that_cannot_be_written_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Permissions do not bind root, who runs the tests in a container.
    monkeypatch.setattr("avatar_core.run_directory.os.access", lambda *_: False)
    with pytest.raises(UsageError, match=f"{tmp_path} is no directory that can be written"):
        has_begun(tmp_path / "out", "run")
