from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from avatar_cli import eval_download
from avatar_cli.eval_download import fetch_missing
from avatar_cli.options import Output
from avatar_core.benchmarks.download import HubFile, Plan
from avatar_core.config.evaluate import EvalConfig
from avatar_core.errors import UsageError

PLAN = Plan("owner/set", "1a2b", (HubFile("validation.json", 3_000_000_000),), 3_000_000_000)


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Directories that were fetched into, with a hub that has everything."""
    into: list[Path] = []

    def obtain(_plan: Plan, root: Path, progress: Any, unpacking: Any) -> None:
        progress(1)
        unpacking(root / "videos.zip")
        into.append(root)

    monkeypatch.setattr("avatar_core.benchmarks.download.plan", lambda *_: PLAN)
    monkeypatch.setattr("avatar_core.benchmarks.download.obtain", obtain)
    return into


def config(root: Path | None, **changes: Any) -> EvalConfig:
    return EvalConfig(**{"names": ("scenes", "mmvu"), "data_root": root, **changes})


def test_what_is_there_is_not_fetched(tmp_path: Path, fetched: list[Path]) -> None:
    (tmp_path / "mmvu").mkdir()
    fetch_missing(config(tmp_path), Output())
    assert fetched == []


def test_it_is_fetched_only_after_a_yes(
    tmp_path: Path,
    fetched: list[Path],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = f"mmvu: owner/set, 1 files, 3.0 GB, into {tmp_path / 'mmvu'}"
    with pytest.raises(UsageError, match="not downloaded; run again with --yes"):
        fetch_missing(config(tmp_path), Output())
    assert said in capsys.readouterr().err.replace("\n", "")
    assert fetched == []
    fetch_missing(config(tmp_path, download=True), Output())
    assert fetched == [tmp_path / "mmvu"]
    monkeypatch.setattr(eval_download, "may_fetch", lambda size: size == "3.0 GB")
    fetch_missing(config(tmp_path), Output())
    assert len(fetched) == 2


def test_a_broken_download_goes_on(tmp_path: Path, fetched: list[Path]) -> None:
    (tmp_path / "mmvu").mkdir()
    (tmp_path / "mmvu" / ".avatar-download.json").write_text('{"complete": false}')
    fetch_missing(config(tmp_path, download=True), Output())
    assert fetched == [tmp_path / "mmvu"]


def test_without_a_place_nothing_is_fetched(
    fetched: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AVATAR_DATA", raising=False)
    fetch_missing(config(None), Output())
    assert fetched == []
