"""Tests of benchmarks/download.py with a hub made here: plans, transfers, breaks."""

from __future__ import annotations

import copy
import errno
import io
import os
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled
from huggingface_hub.utils import filter_repo_objects  # type: ignore[attr-defined]

from avatar_core.benchmarks import download
from avatar_core.benchmarks.download import (
    MARK,
    HubFile,
    Unreachable,
    fetch,
    obtain,
    plan,
    unfinished,
    unpack_rest,
    unpacking_pending,
)
from avatar_core.errors import DataError, DiskError

LAYOUT = """
mmvu/
  validation.json
"""
Transport = HfHubHTTPError.__bases__[0]


class Gone(OSError):
    """What stands for a data set that is not there."""


class GatedRepoError(OSError):
    """As the library calls it."""


class Hub:
    """The two calls of the hub that are used, over data sets in memory."""

    def __init__(self, **datasets: dict[str, bytes] | Exception) -> None:
        self.datasets = {name.replace("__", "/"): content for name, content in datasets.items()}
        self.asked: list[str] = []
        self.refuses: dict[str, Exception] = {}
        self.drops: set[str] = set()
        self.seconds = 0.0

    def dataset_info(self, dataset: str, *, files_metadata: bool) -> SimpleNamespace:
        assert files_metadata
        self.asked.append(dataset)
        content = self.datasets.get(dataset, Gone("404 Not Found"))
        if isinstance(content, Exception):
            raise content
        siblings = [SimpleNamespace(rfilename=n, size=len(c)) for n, c in content.items()]
        return SimpleNamespace(sha="a1b2c3", siblings=siblings)

    def snapshot_download(self, dataset: str, **options: Any) -> str:
        assert (options["repo_type"], options["revision"]) == ("dataset", "a1b2c3")
        root: Path = options["local_dir"]
        content = self.datasets[dataset]
        assert isinstance(content, dict)
        for name in filter_repo_objects(content, allow_patterns=options["allow_patterns"]):
            if name in self.refuses:
                raise self.refuses[name]
            if name not in self.drops:
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_bytes(content[name])
                time.sleep(self.seconds)
        bar = options["tqdm_class"](total=3, name="x", desc="Fetching")
        bar.update(1)
        bar.set_description_str("done")
        bar.close()
        return str(root)


def zip_bytes(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(f"videos/{name}.mp4", content)
    return buffer.getvalue()


ARCHIVE = zip_bytes(a=b"a" * 10, b=b"b" * 20)
FILES = {
    "validation.json": b"[]",
    "part[1]/videos.zip": ARCHIVE,
    ".gitattributes": b"*",
    "data/.hidden/x": b"x",
}


@pytest.fixture
def hub() -> Hub:
    return Hub(first__mmvu=Gone("404 Not Found"), second__mmvu=FILES)


def test_the_first_data_set_that_answers_is_planned(hub: Hub) -> None:
    found = plan("mmvu", ("first/mmvu", "second/mmvu", "third/mmvu"), LAYOUT, hub)  # type: ignore[arg-type]
    # Hidden files are of no use here.
    assert found.files == (
        HubFile("part[1]/videos.zip", len(ARCHIVE)),
        HubFile("validation.json", 2),
    )
    assert (found.dataset, found.revision, found.bytes) == (
        "second/mmvu",
        "a1b2c3",
        len(ARCHIVE) + 2,
    )
    assert hub.asked == ["first/mmvu", "second/mmvu"]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OfflineModeIsEnabled("offline mode\nis enabled"), "offline mode is enabled"),
        (Transport("no route"), "HTTPError: no route"),
        (TimeoutError("timed out"), "timed out"),
        (HFValidationError("bad id"), "bad id"),
        (RuntimeError("broken transfer"), "broken transfer"),
        (GatedRepoError("403"), "accept its terms on its page, then log in"),
    ],
)
def test_without_a_hub_the_tree_and_the_ways_out_are_told(error: Exception, told: str) -> None:
    hub = Hub(a__mmvu=error)
    with pytest.raises(Unreachable) as caught:
        plan("mmvu", ("a/mmvu", "b/mmvu"), LAYOUT, hub)  # type: ignore[arg-type]
    message = str(caught.value)
    assert message == f"{caught.value.reason}; {caught.value.remedy}"
    assert str(copy.copy(caught.value)) == message
    assert f"a/mmvu: {type(error).__name__}: " in message and told in message
    assert "b/mmvu: Gone: 404" in message
    for way in ("--yes", "--data-root", "AVATAR_DATA"):
        assert way in message
    sentence, _, tree = message.partition("wanted:\n\n")
    assert "\n" not in sentence and tree == "mmvu/\n  validation.json"


def test_a_fault_of_our_own_is_not_taken_for_the_hub() -> None:
    with pytest.raises(KeyError):
        plan("mmvu", ("a/mmvu",), LAYOUT, Hub(a__mmvu=KeyError("x")))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/etc/x", "..\\x", "C:/x", "a\0b", "a\nb"])
def test_a_file_that_would_leave_the_directory_is_refused(name: str) -> None:
    hub = Hub(a__mmvu={"good.json": b"x", name: b"x"})
    with pytest.raises(DataError, match="a/mmvu: file .* would leave the directory"):
        plan("mmvu", ("a/mmvu",), LAYOUT, hub)  # type: ignore[arg-type]


def test_a_data_set_is_fetched_and_unpacked(
    hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "new" / "mmvu"
    what = plan("mmvu", ("second/mmvu",), LAYOUT, hub)  # type: ignore[arg-type]
    assert not unfinished(root)
    unpacked: list[str] = []
    obtain(what, root, unpacking=lambda path: unpacked.append(path.name), api=hub)  # type: ignore[arg-type]
    assert (root / "validation.json").read_bytes() == b"[]"
    assert (root / "part[1]/videos/b.mp4").read_bytes() == b"b" * 20
    assert unpacked == ["videos.zip"]
    assert not (root / ".gitattributes").exists()
    assert not unfinished(root) and (root / MARK).is_file()
    # The library's own bars say nothing.
    assert capsys.readouterr() == ("", "")


def test_a_break_is_told_and_gone_on_from(hub: Hub, tmp_path: Path) -> None:
    what = plan("mmvu", ("second/mmvu",), LAYOUT, hub)  # type: ignore[arg-type]
    hub.refuses["part[1]/videos.zip"] = Transport("connection reset")
    message = r"1 of 2 files did not arrive .*connection reset\); run again"
    with pytest.raises(DataError, match=message):
        obtain(what, tmp_path, api=hub)  # type: ignore[arg-type]
    assert unfinished(tmp_path)
    assert not (tmp_path / "part[1]/videos").exists()
    hub.refuses.clear()
    obtain(what, tmp_path, api=hub)  # type: ignore[arg-type]
    assert not unfinished(tmp_path)


def test_a_refused_archive_does_not_keep_a_download_open(tmp_path: Path) -> None:
    bad = io.BytesIO()
    with zipfile.ZipFile(bad, "w") as archive:
        archive.writestr("../out.mp4", b"x")
    hub = Hub(a__mmvu={"bad.zip": bad.getvalue(), "good.zip": ARCHIVE})
    what = plan("mmvu", ("a/mmvu",), LAYOUT, hub)  # type: ignore[arg-type]
    left = [done.left for done in obtain(what, tmp_path, api=hub)]  # type: ignore[arg-type]
    assert left[0] and "unpack it yourself" in left[0] and left[1:] == [None]
    assert (tmp_path / "videos/a.mp4").is_file()
    assert not unfinished(tmp_path) and not unpacking_pending(tmp_path)
    assert unpack_rest(tmp_path) == []


def test_unpacking_that_broke_off_goes_on_without_the_hub(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    what = plan("mmvu", ("second/mmvu",), LAYOUT, hub)  # type: ignore[arg-type]

    def broken(*_: object) -> None:
        raise DiskError("full")

    monkeypatch.setattr(download, "unpack", broken)
    with pytest.raises(DiskError):
        obtain(what, tmp_path, api=hub)  # type: ignore[arg-type]
    assert not unfinished(tmp_path) and unpacking_pending(tmp_path)
    monkeypatch.undo()
    assert [done.files for done in unpack_rest(tmp_path)] == [2]
    assert not unfinished(tmp_path) and not unpacking_pending(tmp_path)


def test_archives_of_a_hand_made_directory_are_unpacked_without_a_mark(tmp_path: Path) -> None:
    (tmp_path / "videos.zip").write_bytes(ARCHIVE)
    assert not unpacking_pending(tmp_path)
    assert [done.files for done in unpack_rest(tmp_path)] == [2]
    assert not (tmp_path / MARK).exists()


def test_a_library_that_gives_too_little_is_not_believed(hub: Hub, tmp_path: Path) -> None:
    what = plan("mmvu", ("second/mmvu",), LAYOUT, hub)  # type: ignore[arg-type]
    hub.drops.add("validation.json")
    with pytest.raises(DataError, match=r"1 of 2 files .*validation\.json is not complete"):
        fetch(what, tmp_path, api=hub)  # type: ignore[arg-type]
    hub.drops.clear()
    hub.datasets["second/mmvu"] = {**FILES, "validation.json": b"["}
    with pytest.raises(DataError, match="1 of 2 files"):
        fetch(what, tmp_path, api=hub)  # type: ignore[arg-type]


def test_no_room_is_seen_before_the_transfer(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    what = plan("mmvu", ("second/mmvu",), LAYOUT, hub)  # type: ignore[arg-type]
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=what.bytes - 1))
    with pytest.raises(DiskError, match=f"takes {what.bytes} bytes more, but only"):
        fetch(what, tmp_path, api=hub)  # type: ignore[arg-type]
    # What has arrived takes no more room.
    (tmp_path / "validation.json").write_bytes(b"[]")
    fetch(what, tmp_path, api=hub)  # type: ignore[arg-type]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES])
def test_a_disk_that_refuses_is_not_taken_for_the_hub(hub: Hub, tmp_path: Path, code: int) -> None:
    what = plan("mmvu", ("second/mmvu",), LAYOUT, hub)  # type: ignore[arg-type]
    hub.refuses["validation.json"] = OSError(code, os.strerror(code))
    with pytest.raises(DiskError, match=f"{os.strerror(code)}; free space or give another"):
        obtain(what, tmp_path, api=hub)  # type: ignore[arg-type]
    assert unfinished(tmp_path)


def test_progress_rises_to_all_bytes(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "INTERVAL", 0.01)
    hub.seconds = 0.05
    what = plan("mmvu", ("second/mmvu",), LAYOUT, hub)  # type: ignore[arg-type]
    partial = tmp_path / ".cache/huggingface/download/x.incomplete"
    partial.parent.mkdir(parents=True)
    partial.write_bytes(b"x")
    seen: list[int] = []
    fetch(what, tmp_path, seen.append, hub)  # type: ignore[arg-type]
    assert seen == sorted(seen) and len(set(seen)) >= 2
    # A byte more lies in the half file, but no more than all is ever told.
    assert seen[-1] == what.bytes


def test_a_broken_mark_is_unfinished_or_a_message(tmp_path: Path) -> None:
    for text in ("{}", "[]", '{"complete": 1}', '{"complete": false}'):
        (tmp_path / MARK).write_text(text)
        assert unfinished(tmp_path)
    (tmp_path / MARK).write_text("{")
    with pytest.raises(DataError, match=MARK):
        unfinished(tmp_path)


def test_importing_it_does_not_import_the_hub() -> None:
    code = (
        "import sys, avatar_core.benchmarks.download;"
        "print([name for name in ('huggingface_hub', 'torch') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_library_itself_is_told_to_be_offline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(DataError, match="a/mmvu: OfflineModeIsEnabled: .*run again with --yes"):
        plan("mmvu", ("a/mmvu",), LAYOUT)
    # With a directory that holds anything at all the library would call the job done.
    (tmp_path / "other").touch()
    what = download.Plan("a/mmvu", "a" * 40, (HubFile("x.json", 2),), 2)
    with pytest.raises(DataError, match="1 of 1 files did not arrive"):
        fetch(what, tmp_path)
