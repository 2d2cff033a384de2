"""Tests of benchmarks/archives.py: which files are archives, and what is read out of them."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from avatar_core.benchmarks.archives import find_archives, is_archive, opened
from avatar_core.errors import DataError

FORMS = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
FILES = {"a.mp4": b"one" * 1000, "videos/b c.mp4": b"", "videos/ü.txt": b"three"}


def packed(path: Path, files: dict[str, bytes] = FILES) -> Path:
    """An archive of the form that its suffix names, with a directory of its own."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
            zipped.writestr("videos/", b"")
            for name, content in files.items():
                zipped.writestr(name, content)
        return path
    form = {".tar": "w", ".gz": "w:gz", ".tgz": "w:gz", ".bz2": "w:bz2", ".xz": "w:xz"}
    with tarfile.open(path, form[path.suffix]) as tar:  # type: ignore[call-overload]
        folder = tarfile.TarInfo("videos")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def cut(path: Path, size: int, names: list[str]) -> None:
    content = path.read_bytes()
    path.unlink()
    for n, name in enumerate(names):
        end = len(content) if n == len(names) - 1 else (n + 1) * size
        path.with_name(name).write_bytes(content[n * size : end])


def contents(root: Path) -> list[dict[str, bytes]]:
    found = []
    for archive in find_archives(root):
        with opened(archive) as members:
            found.append({member.name: member.open().read() for member in members})
    return found


def test_names_of_archives() -> None:
    yes = [f"x{form}" for form in FORMS] + ["X.ZIP", "x.zip.part00", "x.zip.partaa", "x.tar.part_1"]
    yes += ["x.zip.001", "a.b.tar.gz.part-003"]
    no = ["x.mp4", "zip", ".zip", "x.zip.txt", "x.rar", "x.gz", "x.zip.part", "x.zip.1", "x.zip~"]
    no += ["x.zip.partial", "x.zip.PARTIAL", "x.zip.parts", "x.zip.partABC", "x.zip.partabcd"]
    assert [name for name in yes if not is_archive(name)] == []
    assert [name for name in no if is_archive(name)] == []


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_its_files(tmp_path: Path, form: str) -> None:
    packed(tmp_path / f"x{form}")
    assert contents(tmp_path) == [FILES]
    (archive,) = find_archives(tmp_path)
    assert (archive.form, archive.size) == (form, (tmp_path / f"x{form}").stat().st_size)
    # A reader that takes none of the contents sees the same names and sizes.
    with opened(archive) as members:
        assert {m.name: m.size for m in members} == {n: len(c) for n, c in FILES.items()}


@pytest.mark.parametrize(
    "names",
    [
        [f"x.zip.part{n:02d}" for n in range(11)],
        [f"x.zip.part{n}" for n in range(1, 12)],
        [f"x.zip.parta{letter}" for letter in "abcdefghijk"],
        [f"x.zip.{n:03d}" for n in range(1, 12)],
    ],
)
def test_parts_are_put_in_order(tmp_path: Path, names: list[str]) -> None:
    path = packed(tmp_path / "x.zip")
    cut(path, path.stat().st_size // 12, names)
    assert contents(tmp_path) == [FILES]
    (archive,) = find_archives(tmp_path)
    assert (archive.path, len(archive.parts)) == (path, 11)
    for missing in (names[0], names[5]):
        away = (tmp_path / missing).rename(tmp_path / "away")
        if missing != names[0] or names[0].endswith(("1", "001")):
            with pytest.raises(DataError, match=r"x\.zip: part \d+ of the archive is missing"):
                contents(tmp_path)
        away.rename(tmp_path / missing)
    # The last part is missed when the archive is read.
    (tmp_path / names[-1]).unlink()
    with pytest.raises(DataError, match=r"x\.zip: is damaged or no archive"):
        contents(tmp_path)


def test_a_joined_file_stands_for_its_parts(tmp_path: Path) -> None:
    path = packed(tmp_path / "x.tar")
    for name in ("x.tar.part0", "x.tar.part1"):
        (tmp_path / name).write_bytes(b"no archive")
    (archive,) = find_archives(tmp_path)
    assert archive.parts == (path,)


def test_hidden_places_are_passed_over_and_links_out_refused(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / ".cache").mkdir(parents=True)
    packed(root / ".cache" / "x.zip")
    packed(root / ".x.zip")
    assert find_archives(root) == []
    packed(tmp_path / "out.zip")
    (root / "link.zip").symlink_to(tmp_path / "out.zip")
    with pytest.raises(DataError, match=r"'link\.zip' leads outside"):
        contents(root)


def with_member(path: Path, kind: bytes, **facts: object) -> Path:
    with tarfile.open(path, "w") as tar:
        info = tarfile.TarInfo("good.mp4")
        tar.addfile(info)
        bad = tarfile.TarInfo("bad")
        bad.type = kind
        for name, value in facts.items():
            setattr(bad, name, value)
        tar.addfile(bad)
    return path


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE]
)
def test_links_and_devices_of_a_tar_are_refused(tmp_path: Path, kind: bytes) -> None:
    with_member(tmp_path / "x.tar", kind, linkname="good.mp4")
    with pytest.raises(DataError, match="member 'bad' is a link, device or pipe"):
        contents(tmp_path)


@pytest.mark.parametrize("mode", [0o120777, 0o020666, 0o060666, 0o010666, 0o140666])
def test_links_and_devices_of_a_zip_are_refused(tmp_path: Path, mode: int) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as zipped:
        info = zipfile.ZipInfo("bad")
        info.external_attr = mode << 16
        zipped.writestr(info, "/etc/hostname")
    with pytest.raises(DataError, match="member 'bad' is a link or device"):
        contents(tmp_path)


def test_a_locked_member_is_refused(tmp_path: Path) -> None:
    path = packed(tmp_path / "x.zip", {"a": b"x"})
    content = bytearray(path.read_bytes())
    # Bit 0 of the flags, at byte 8 of each entry of the central directory.
    place = content.rindex(b"PK\1\2") + 8
    content[place] |= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match="member 'a' is encrypted"):
        contents(tmp_path)


def test_what_follows_a_zero_byte_is_part_of_the_name(tmp_path: Path) -> None:
    path = packed(tmp_path / "x.zip", {"aXb.mp4": b"x"})
    path.write_bytes(path.read_bytes().replace(b"aXb.mp4", b"a\0b.mp4"))
    (archive,) = find_archives(tmp_path)
    with opened(archive) as members:
        assert [member.name for member in members] == ["a\0b.mp4"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("damage", ["empty", "noise", "cut", "flipped"])
def test_damage_is_a_message(tmp_path: Path, form: str, damage: str) -> None:
    path = packed(tmp_path / f"x{form}", {"a.mp4": os.urandom(3000), "b.mp4": os.urandom(3000)})
    content = bytearray(path.read_bytes())
    changed = {
        "empty": b"",
        "noise": os.urandom(2000),
        "cut": bytes(content[: len(content) // 3]),
        "flipped": bytes(byte ^ 255 if 1000 < n < 1100 else byte for n, byte in enumerate(content)),
    }[damage]
    path.write_bytes(changed)
    with pytest.raises(DataError) as caught:
        contents(tmp_path)
    assert f"x{form}" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("form", [".tar.gz", ".tar.bz2", ".tar.xz"])
def test_a_wrong_checksum_behind_the_last_file_is_seen(tmp_path: Path, form: str) -> None:
    path = packed(tmp_path / f"x{form}")
    content = bytearray(path.read_bytes())
    # In the sum that closes the stream: of gzip 8 bytes before the end, of the others at it.
    content[-6] ^= 255
    path.write_bytes(content)
    with (
        pytest.raises(DataError, match="is damaged|cannot read"),
        opened(find_archives(tmp_path)[0]) as members,
    ):
        assert len(list(members)) == 3


def test_a_tar_that_ends_at_the_end_of_a_file_is_not_whole(tmp_path: Path) -> None:
    path = packed(tmp_path / "x.tar", {"a": b"x" * 512, "b": b"y"})
    # Directory, then header and one block of "a": 3 blocks of 512 bytes; the rest is cut off.
    path.write_bytes(path.read_bytes()[: 3 * 512])
    with pytest.raises(DataError, match="is damaged or no archive .*its end is missing"):
        contents(tmp_path)


def test_a_header_that_claims_to_be_huge_is_not_read(tmp_path: Path) -> None:
    # An extended header of 2 GB of zeros, 2 MB when packed; tarfile would hold all of it.
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 2 << 30
    with gzip.open(tmp_path / "x.tar.gz", "wb", compresslevel=1) as file:
        file.write(info.tobuf())
        file.write(bytes(1 << 20))
    tracemalloc.start()
    with pytest.raises(DataError, match="holds a header of 2147483648 bytes"):
        contents(tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50e6
