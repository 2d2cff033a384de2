"""Tests of benchmarks/unpacking.py: each archive once, beside itself, nothing outside the root."""

from __future__ import annotations

import io
import json
import os
import shutil
import tarfile
import time
import zipfile
from pathlib import Path

import pytest

from avatar_core.benchmarks import unpacking
from avatar_core.benchmarks.unpacking import RECORD, still_packed, unpack
from avatar_core.errors import DataError, DiskError
from avatar_core.files import read_errors

BAD_NAMES = (
    "../out.mp4",
    "../../out.mp4",
    "videos/../../out.mp4",
    "./../out.mp4",
    "/out.mp4",
    "//host/out.mp4",
    "..",
    ".",
    "C:/out.mp4",
    "C:\\out.mp4",
    "..\\out.mp4",
    "videos\\out.mp4",
    "a\nb.mp4",
    "a\x1b[31m.mp4",
    "a/" * 3000 + "b.mp4",
    "n" * 300,
    "up/out.mp4",
)


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def tarred(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def files(root: Path) -> dict[str, bytes]:
    """What lies below a root, archives and our record apart."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.suffix not in (".zip", ".tar") and path.name != RECORD
    }


def refusal(root: Path) -> str:
    """Why the only archive of a root is left, which is said only once."""
    (done,) = unpack(root)
    assert done.left is not None and (done.files, done.bytes) == (0, 0)
    assert unpack(root) == []
    return done.left


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def test_files_come_to_lie_beside_their_archive(root: Path) -> None:
    zipped(root / "videos.zip", {"videos/a.mp4": b"a", "videos/sub/b.mp4": b"bb"})
    zipped(root / "video" / "star.zip", {"star/c.mp4": b"c"})
    tarred(root / "Videos.tar", {"d/d.mp4": b"d"})
    seen: list[str] = []
    done = unpack(root, lambda path: seen.append(path.name))
    assert files(root) == {
        "d/d.mp4": b"d",
        "video/star/c.mp4": b"c",
        "videos/a.mp4": b"a",
        "videos/sub/b.mp4": b"bb",
    }
    assert [(found.archive.name, found.files, found.bytes) for found in done] == [
        ("Videos.tar", 1, 1),
        ("star.zip", 1, 1),
        ("videos.zip", 2, 3),
    ]
    assert seen == ["Videos.tar", "star.zip", "videos.zip"]


def test_an_archive_is_unpacked_once_unless_it_changes(root: Path) -> None:
    path = zipped(root / "x.zip", {"a.mp4": b"a"})
    assert len(unpack(root)) == 1
    (root / "a.mp4").unlink()
    assert unpack(root) == []
    assert files(root) == {}
    zipped(path, {"a.mp4": b"a", "b.mp4": b"b"})
    assert len(unpack(root)) == 1
    assert files(root) == {"a.mp4": b"a", "b.mp4": b"b"}
    record = {"archives": {"x.zip": path.stat().st_size}, "left": {}}
    assert json.loads((root / RECORD).read_text()) == record


def test_what_is_there_is_never_replaced(root: Path) -> None:
    (root / "validation.json").write_bytes(b"mine")
    (root / "link.json").symlink_to(root.parent / "elsewhere")
    zipped(root / "x.zip", {"validation.json": b"other", "link.json": b"other", "a.mp4": b"a"})
    unpack(root)
    assert (root / "validation.json").read_bytes() == b"mine"
    # A link to nothing is replaced itself; nothing is written through it.
    assert (root / "link.json").read_bytes() == b"other"
    assert not (root.parent / "elsewhere").exists()


def test_an_interrupted_run_goes_on(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zipped(root / "x.zip", {f"{n}.mp4": bytes([n]) * 100 for n in range(5)})
    written: list[str] = []
    write = unpacking._write

    def third_fails(root: Path, path: Path, member: object, archive: object) -> None:
        if len(written) == 2:
            raise KeyboardInterrupt
        write(root, path, member, archive)  # type: ignore[arg-type]
        written.append(path.name)

    monkeypatch.setattr(unpacking, "_write", third_fails)
    with pytest.raises(KeyboardInterrupt):
        unpack(root)
    assert sorted(files(root)) == ["0.mp4", "1.mp4"]

    def counted(root: Path, path: Path, member: object, archive: object) -> None:
        written.append(path.name)
        write(root, path, member, archive)  # type: ignore[arg-type]

    monkeypatch.setattr(unpacking, "_write", counted)
    unpack(root)
    assert written == ["0.mp4", "1.mp4", "2.mp4", "3.mp4", "4.mp4"]
    assert files(root) == {f"{n}.mp4": bytes([n]) * 100 for n in range(5)}


def test_a_file_is_whole_or_absent(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zipped(root / "x.zip", {"a.mp4": b"a" * 100})

    def broken(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(unpacking, "_copy", broken)
    with pytest.raises(DiskError, match=r"a\.mp4: cannot write: No space left"):
        unpack(root)
    assert [path.name for path in root.iterdir()] == ["x.zip"]


def test_hidden_members_are_passed_over(root: Path) -> None:
    zipped(
        root / "x.zip",
        {"__MACOSX/._a.mp4": b"x", ".cache/x": b"x", "v/.DS_Store": b"x", "v/a.mp4": b"a"},
    )
    (done,) = unpack(root)
    assert files(root) == {"v/a.mp4": b"a"}
    assert (done.files, done.bytes) == (1, 1)


def test_archives_within_archives_stay_packed(root: Path, tmp_path: Path) -> None:
    inner = zipped(tmp_path / "inner.zip", {"bomb.mp4": b"x"}).read_bytes()
    zipped(root / "outer.zip", {"inner.zip": inner, "sub/inner.zip": inner})
    for _ in range(3):
        unpack(root)
    assert files(root) == {}
    assert (root / "inner.zip").is_file() and (root / "sub/inner.zip").is_file()


@pytest.mark.parametrize("name", BAD_NAMES, ids=lambda name: ascii(name)[:30])
@pytest.mark.parametrize("pack", [zipped, tarred])
def test_a_bad_name_leaves_everything_packed(root: Path, pack: object, name: str) -> None:
    (root / "up").symlink_to(root.parent)
    suffix = {zipped: ".zip", tarred: ".tar"}[pack]  # type: ignore[index]
    pack(root / f"x{suffix}", {"good.mp4": b"x", name: b"x"})  # type: ignore[operator]
    before = sorted(root.parent.rglob("*"))
    message = refusal(root)
    assert "unpack it yourself if you trust it" in message
    assert "\n" not in message and "\x1b" not in message
    assert sorted(set(root.parent.rglob("*")) - {root / RECORD}) == before


def test_strange_names_are_names(root: Path) -> None:
    names = {"Episode 1: x.mp4": b"a", "a..b.mp4": b"b", "ü 日.mp4": b"c", "~/x.mp4": b"d"}
    zipped(root / "x.zip", names)
    unpack(root)
    assert files(root) == names


def test_bombs_are_refused_before_anything_is_written(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "SMALL", 1 << 20)
    path = zipped(root / "x.zip", {"good.mp4": b"x", "zeros": bytes(20 << 20)})
    # 20 MiB of zeros are some 20 kB when packed: a thousand to one.
    assert path.stat().st_size < 30_000
    start = time.process_time()
    (done,) = unpack(root)
    assert done.left is not None and "bytes, too many for its" in done.left
    assert time.process_time() - start < 1
    assert files(root) == {}


def test_a_bomb_in_a_packed_tar_is_not_read_to_its_end(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "SMALL", 1 << 20)
    with tarfile.open(root / "x.tar.gz", "w:gz", compresslevel=1) as archive:
        info = tarfile.TarInfo("zeros")
        info.size = 1 << 50
        archive.addfile(info)
    assert "claims to hold more than" in refusal(root)
    assert files(root).keys() == {"x.tar.gz"}


def test_counts_and_sizes_have_limits(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zipped(root / "x.zip", {f"{n}": os.urandom(10) for n in range(6)})
    monkeypatch.setattr(unpacking, "MAX_MEMBERS", 5)
    assert "x.zip: holds more than 5 files" in refusal(root)
    (root / RECORD).unlink()
    monkeypatch.setattr(unpacking, "MAX_MEMBERS", 6)
    monkeypatch.setattr(unpacking, "MAX_BYTES", 59)
    assert "claims to hold more than 59 bytes" in refusal(root)
    (root / RECORD).unlink()
    monkeypatch.setattr(unpacking, "MAX_BYTES", 60)
    usage = shutil.disk_usage(root)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=59))
    with pytest.raises(DiskError, match="takes 60 bytes when unpacked, but only 59 are free"):
        unpack(root)
    # What is there already takes no more room.
    (root / "0").write_bytes(b"x")
    assert unpack(root)[0].files == 6


def test_a_size_that_lies_is_seen(root: Path) -> None:
    path = zipped(root / "x.zip", {"a.mp4": b"a" * 1000})
    content = bytearray(path.read_bytes())
    # Uncompressed size, at byte 24 of the entry in the central directory.
    place = content.rindex(b"PK\1\2") + 24
    content[place : place + 4] = (500).to_bytes(4, "little")
    path.write_bytes(content)
    assert "x.zip" in refusal(root)
    assert files(root) == {}


def test_a_refused_archive_is_noted_once_and_tried_again_when_it_changed(root: Path) -> None:
    zipped(root / "a.zip", {"a.mp4": b"a"})
    bad = zipped(root / "b.zip", {"../b.mp4": b"b"})
    zipped(root / "c.zip", {"c.mp4": b"c"})
    # The others are unpacked all the same.
    assert [done.left is None for done in unpack(root)] == [True, False, True]
    assert files(root) == {"a.mp4": b"a", "c.mp4": b"c"}
    ((path, reason),) = still_packed(root).items()
    assert path == bad and reason and "unpack it yourself if you trust it" in reason
    assert unpack(root) == []
    # As long as before, but written later.
    size, then = bad.stat().st_size, bad.stat().st_mtime_ns
    zipped(bad, {"up/b.mp4": b"b"})
    os.utime(bad, ns=(then, then + 1))
    assert bad.stat().st_size == size
    assert still_packed(root) == {bad: None}
    assert [done.left for done in unpack(root)] == [None]
    assert still_packed(root) == {} and (root / "up/b.mp4").read_bytes() == b"b"
    assert json.loads((root / RECORD).read_text())["left"] == {}


def test_an_archive_that_lacks_a_part_waits_for_it(root: Path) -> None:
    content = zipped(root / "x.zip", {"a.mp4": b"a" * 50}).read_bytes()
    (root / "x.zip").unlink()
    (root / "x.zip.002").write_bytes(content[40:])
    assert "x.zip: part 0 of the archive is missing; fetch it and run again" in refusal(root)
    (root / "x.zip.001").write_bytes(content[:40])
    assert [done.left for done in unpack(root)] == [None]


def test_a_disk_that_fails_is_no_refusal(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = zipped(root / "x.zip", {"a.mp4": b"a"})

    def failing(_archive: object) -> None:
        with read_errors(path):
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(unpacking, "opened", failing)
    with pytest.raises(DataError, match="cannot read: Input/output error"):
        unpack(root)
    monkeypatch.undo()
    assert not (root / RECORD).exists() and len(unpack(root)) == 1


def test_a_broken_record_is_a_message(root: Path) -> None:
    zipped(root / "x.zip", {"a.mp4": b"a"})
    for text in ("[]", '{"archives": []}', "{", '"x"', '{"archives": {}, "left": 1}'):
        (root / RECORD).write_text(text)
        with pytest.raises(DataError, match=RECORD):
            unpack(root)
    assert files(root) == {}
