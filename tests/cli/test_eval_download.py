from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from avatar_cli import eval_download
from avatar_cli.eval_download import destination, fetch_missing
from avatar_cli.options import Output
from avatar_core.benchmarks import find
from avatar_core.benchmarks.download import MARK, HubFile, Plan, Unreachable
from avatar_core.benchmarks.unpacking import Unpacked
from avatar_core.config.evaluate import EvalConfig
from avatar_core.errors import DataError, TooManyFailures, UsageError
from avatar_core.evaluation.selecting import load_items

PLAN = Plan("owner/set", "1a2b", (HubFile("validation.json", 3_000_000_000),), 3_000_000_000)


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Directories that were fetched into, with a hub that has everything."""
    into: list[Path] = []

    def obtain(_plan: Plan, root: Path, progress: Any, unpacking: Any) -> list[Unpacked]:
        progress(1)
        unpacking(root / "videos.zip")
        into.append(root)
        return [Unpacked(root / "videos.zip", 0, 0, "videos.zip: holds a link")]

    monkeypatch.setattr("avatar_core.benchmarks.download.plan", lambda *_: PLAN)
    monkeypatch.setattr("avatar_core.benchmarks.download.obtain", obtain)
    return into


def config(root: Path | None, **changes: Any) -> EvalConfig:
    return EvalConfig(**{"names": ("scenes", "mmvu"), "data_root": root, **changes})


def test_what_is_there_is_not_fetched(tmp_path: Path, fetched: list[Path]) -> None:
    (tmp_path / "mmvu").mkdir()
    (tmp_path / "mmvu" / "validation.json").touch()
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


def test_an_empty_directory_counts_as_absent(
    tmp_path: Path, fetched: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mmvu" / ".cache").mkdir(parents=True)
    with pytest.raises(UsageError, match="run again with --yes"):
        fetch_missing(config(tmp_path), Output())
    fetch_missing(config(tmp_path, download=True), Output())
    assert fetched == [tmp_path / "mmvu"]
    assert "mmvu: an archive stays packed: videos.zip: holds a link" in capsys.readouterr().err


def test_a_benchmark_that_is_nowhere_belongs_into_a_folder_of_its_name(tmp_path: Path) -> None:
    one = {"names": ("mmvu",)}
    data = tmp_path / "data"
    assert destination(config(data, **one), "mmvu") == data / "mmvu"
    data.mkdir()
    assert destination(config(data, **one), "mmvu") == data / "mmvu"
    # Files of others, and one that says what the directory is.
    (data / "tomato").mkdir()
    (data / "tomato" / "tomato.json").touch()
    (data / "README.txt").touch()
    assert destination(config(data, **one), "mmvu") == data / "mmvu"
    assert destination(config(data / "mmvu", **one), "mmvu") == data / "mmvu"
    # Its own files, wherever they lie, or a download of it.
    (data / "MMVU-main").mkdir()
    (data / "MMVU-main" / "validation.json").touch()
    assert destination(config(data, **one), "mmvu") == data
    begun = tmp_path / "begun"
    begun.mkdir()
    (begun / MARK).write_text('{"complete": false}')
    assert destination(config(begun, **one), "mmvu") == begun
    file = tmp_path / "file"
    file.touch()
    assert destination(config(file, **one), "mmvu") == file


def test_offline_a_broken_download_is_used_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def offline(*_: object) -> Plan:
        raise Unreachable("mmvu: no hub", "go online")

    monkeypatch.setattr("avatar_core.benchmarks.download.plan", offline)
    root = tmp_path / "mmvu"
    root.mkdir()
    (root / MARK).write_text('{"complete": false}')
    # Nothing arrived: there is nothing to go on with.
    with pytest.raises(Unreachable, match="mmvu: no hub; go online"):
        fetch_missing(config(tmp_path), Output())
    (root / "validation.json").touch()
    fetch_missing(config(tmp_path), Output())
    said = " ".join(capsys.readouterr().err.split())
    assert "mmvu: no hub; the download into" in said and "what is there is used" in said


def packed_by_hand(root: Path) -> Path:
    """MMVU with one question, whose video lies in an archive."""
    row = {
        "id": "1",
        "video": "videos/Art/1.mp4",
        "question_type": "multiple-choice",
        "question": "Which?",
        "choices": {"A": "this", "B": "that"},
        "answer": "A",
    }
    root.mkdir()
    (root / "validation.json").write_text(json.dumps([row]))
    with zipfile.ZipFile(root / "videos.zip", "w") as archive:
        archive.writestr("videos/Art/1.mp4", b"x")
    return root


def test_archives_fetched_by_hand_are_named_and_with_a_yes_unpacked(tmp_path: Path) -> None:
    root = packed_by_hand(tmp_path / "mmvu")
    asked = config(tmp_path, names=("mmvu",))
    fetch_missing(asked, Output())
    with pytest.raises(TooManyFailures) as caught:
        load_items(asked, find("mmvu"))
    hint = (
        f"videos.zip lies packed in {root}: unpack there, or run again with --yes to have it done; "
    )
    assert hint in str(caught.value)
    fetch_missing(config(tmp_path, names=("mmvu",), download=True), Output())
    assert (root / "videos/Art/1.mp4").read_bytes() == b"x"
    assert len(load_items(asked, find("mmvu"))) == 1


def test_an_archive_whose_files_are_there_is_not_unpacked(tmp_path: Path) -> None:
    root = packed_by_hand(tmp_path / "mmvu")
    (root / "elsewhere" / "Art").mkdir(parents=True)
    (root / "elsewhere" / "Art" / "1.mp4").write_bytes(b"x")
    fetch_missing(config(tmp_path, names=("mmvu",), download=True), Output())
    assert not (root / "videos").exists()


def test_a_refused_archive_is_named_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = packed_by_hand(tmp_path / "mmvu")
    with zipfile.ZipFile(root / "videos.zip", "w") as archive:
        archive.writestr("../1.mp4", b"x")
    asked = config(tmp_path, names=("mmvu",), download=True)
    for told in (1, 0):
        fetch_missing(asked, Output())
        assert capsys.readouterr().err.count("mmvu: an archive stays packed") == told
        with pytest.raises(TooManyFailures, match="unpack it yourself if you trust it; put them"):
            load_items(asked, find("mmvu"))


def test_unpacking_that_broke_off_goes_on_without_a_question(tmp_path: Path) -> None:
    root = packed_by_hand(tmp_path / "mmvu")
    (root / MARK).write_text('{"complete": true, "unpacked": false}')
    # No hub stands behind this: a plan would fail.
    fetch_missing(config(tmp_path), Output())
    assert (root / "videos/Art/1.mp4").read_bytes() == b"x"
    assert json.loads((root / MARK).read_text()) == {"complete": True, "unpacked": True}


def test_who_does_not_want_the_rest_is_told_how_to_use_what_is_there(
    tmp_path: Path, fetched: list[Path]
) -> None:
    root = packed_by_hand(tmp_path / "mmvu")
    (root / MARK).write_text('{"complete": false}')
    with pytest.raises(UsageError, match=rf"--yes, or remove .*{MARK} to use what is there"):
        fetch_missing(config(tmp_path), Output())
    assert fetched == []


def test_without_a_directory_the_source_and_the_ways_out_are_named(
    fetched: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AVATAR_DATA", raising=False)
    fetch_missing(config(None, names=("scenes",)), Output())
    with pytest.raises(DataError) as caught:
        fetch_missing(config(None, names=("mmvu",)), Output())
    said, _, tree = str(caught.value).partition("\n\n")
    assert said == (
        "mmvu: no directory is given; name one by --data-root, with --yes to have "
        f"{find('mmvu').dataset[0]} downloaded into it, or set AVATAR_DATA to the directory that "
        "holds mmvu; wanted:"
    )
    assert tree == find("mmvu").layout.strip()
    assert fetched == []
