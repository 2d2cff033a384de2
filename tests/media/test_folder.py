"""What counts as a folder of pictures, and what is refused before a picture is opened."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from avatar_core.config.media import MediaConfig
from avatar_core.errors import MediaError
from avatar_core.media import folder as module
from avatar_core.media.content import content_digest
from avatar_core.media.folder import is_folder, list_pictures, pictures_digest
from avatar_core.types import MediaRef
from tests.media.clips import write_pictures


def ref(folder: Path, fps: float = 3.0) -> MediaRef:
    return MediaRef("video", str(folder), fps=fps)


def names(folder: Path) -> list[str]:
    return [picture.name for picture in list_pictures(ref(folder), MediaConfig())]


def digest(folder: Path) -> str:
    return pictures_digest(ref(folder), list_pictures(ref(folder), MediaConfig()))


def test_a_rate_of_its_own_makes_a_video_a_folder() -> None:
    assert is_folder(MediaRef("video", "x", fps=3.0))
    assert not is_folder(MediaRef("video", "x")) and not is_folder(MediaRef("image", "x", fps=3.0))


def test_pictures_are_ordered_by_number_and_what_is_no_picture_is_passed_over(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "film"
    folder.mkdir()
    for name in ("10.png", "2.JPG", "00001.jpg", "3.jpeg", *(f"{n}.jpg" for n in range(4, 10))):
        (folder / name).write_bytes(b"picture")
    for name in ("Thumbs.db", "cover.jpg", "12.gif", "11.jpg.part", "-1.png"):
        (folder / name).write_bytes(b"other")
    (folder / "more").mkdir()
    assert names(folder)[:4] == ["00001.jpg", "2.JPG", "3.jpeg", "4.jpg"]
    assert (len(names(folder)), names(folder)[-1]) == (10, "10.png")


def test_a_picture_that_cannot_be_read_is_a_media_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> str:
        raise PermissionError(errno.EACCES, "Permission denied")

    write_pictures(tmp_path / "film", 2)
    monkeypatch.setattr(module, "file_digest", refused)
    with pytest.raises(MediaError, match=r"cannot be opened \(Permission denied\)"):
        content_digest(ref(tmp_path / "film"), MediaConfig())


def link_outside(folder: Path) -> None:
    (folder.parent / "secret.png").write_bytes(b"secret")
    (folder / "00005.png").symlink_to(folder.parent / "secret.png")


def twice(folder: Path) -> None:
    shutil.copy(folder / "00002.png", folder / "2.png")


def from_zero(folder: Path) -> None:
    (folder / "00004.png").rename(folder / "00000.png")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (link_outside, r"holds 00005\.png, which is a link or not a file; put the picture itself"),
        (lambda f: (f / "00005.png").symlink_to("00001.png"), "which is a link"),
        (lambda f: (f / "00005.png").mkdir(), "which is a link or not a file"),
        (lambda f: os.mkfifo(f / "00005.png"), "which is a link or not a file"),
        (lambda f: (f / "00002.png").unlink(), r"holds 00003\.png where picture 2 is due"),
        (twice, r"holds 2\.png where picture 3 is due; number its pictures 1, 2, 3 without gaps"),
        (from_zero, r"holds 00000\.png where picture 1 is due"),
        (lambda f: [path.unlink() for path in f.iterdir()], "holds no pictures 00001.jpg"),
        (shutil.rmtree, r"cannot be opened \(No such file"),
    ],
)
def test_a_folder_that_is_not_numbered_pictures_of_its_own_is_refused(
    tmp_path: Path, change: Callable[[Path], object], reason: str
) -> None:
    folder = write_pictures(tmp_path / "film", 4)
    assert len(names(folder)) == 4
    change(folder)
    with pytest.raises(MediaError, match=reason) as caught:
        names(folder)
    assert caught.value.path == str(folder)


def test_limits_hold_for_all_pictures_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_pictures(tmp_path / "film", 4)
    size = sum(path.stat().st_size for path in folder.iterdir())
    assert len(list_pictures(ref(folder), MediaConfig(max_file_bytes=size))) == 4
    with pytest.raises(MediaError, match=f"has {size} bytes, more than max_file_bytes"):
        list_pictures(ref(folder), MediaConfig(max_file_bytes=size - 1))
    # Four pictures at 2 a second last 2 s.
    assert len(list_pictures(ref(folder, 2.0), MediaConfig(max_seconds=2.0))) == 4
    with pytest.raises(MediaError, match=r"lasts 2\.0 s, longer than max_seconds = 1\.9"):
        list_pictures(ref(folder, 2.0), MediaConfig(max_seconds=1.9))
    monkeypatch.setattr(module, "MAX_ENTRIES", 4)
    assert len(names(folder)) == 4
    (folder / "notes.txt").write_text("a fifth entry")
    with pytest.raises(MediaError, match="holds more than 4 entries"):
        names(folder)


def test_a_rate_must_be_one_and_a_file_takes_none(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "film", 4)
    rates = (0.0, -3.0, float("nan"), float("inf"))
    for fps in rates:
        with pytest.raises(MediaError, match="cannot be shown at fps = .*; give a positive number"):
            list_pictures(ref(folder, fps), MediaConfig())
    assert len(rates) == 4
    for path, reason in (
        (folder / "00001.png", "is not a folder of pictures; leave out fps for a file"),
        (Path("a\0b"), "is not a usable path"),
    ):
        with pytest.raises(MediaError, match=reason):
            list_pictures(ref(path), MediaConfig())


def test_the_digest_is_of_names_and_bytes_alone(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "film", 4)
    first = digest(folder)
    assert len(first) == 128
    twin = Path(shutil.copytree(folder, tmp_path / "twin"))
    os.utime(twin / "00001.png", ns=(1, 1))
    assert digest(twin) == first
    (twin / "00004.png").rename(twin / "4.png")
    renamed = digest(twin)
    (twin / "4.png").write_bytes(b"other")
    assert len({first, renamed, digest(twin)}) == 3
