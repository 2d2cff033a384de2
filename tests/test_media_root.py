"""Tests of media_root.py: containment, missing files, and the names told for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from avatar_core import media_root
from avatar_core.errors import DataError
from avatar_core.files import contained_path
from avatar_core.media_root import MediaRoot


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A root with a directory and links, and a secret outside."""
    base = tmp_path.resolve() / "base"
    (base / "clips").mkdir(parents=True)
    for name in ("a.mp4", "b.mp4", "c.png", "d.wav", "clips/e.mp4"):
        (base / name).touch()
    (tmp_path / "secret.mp4").touch()
    (base / "inside.mp4").symlink_to(base / "clips" / "e.mp4")
    (base / "outside.mp4").symlink_to(tmp_path / "secret.mp4")
    (base / "up").symlink_to(tmp_path)
    (base / "loop.mp4").symlink_to(base / "loop.mp4")
    return base


def test_files_inside_are_found_by_any_of_their_paths(tree: Path) -> None:
    root = MediaRoot(tree)
    cases = {
        "a.mp4": "a.mp4",
        "./clips/e.mp4": "clips/e.mp4",
        "clips/../a.mp4": "a.mp4",
        "clips//e.mp4": "clips/e.mp4",
        str(tree / "a.mp4"): "a.mp4",
        "inside.mp4": "clips/e.mp4",
    }
    for name, expected in cases.items():
        assert root.file(name) == str(tree / expected)
    assert len(cases) == 6


def test_a_root_may_itself_be_a_link(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tree)
    assert MediaRoot(tmp_path / "link").file("clips/e.mp4") == str(tree / "clips" / "e.mp4")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("../secret.mp4", "leads outside"),
        ("clips/../../secret.mp4", "leads outside"),
        ("/etc/hostname", "leads outside"),
        ("/hostname", "leads outside"),
        ("outside.mp4", "leads outside"),
        ("up/secret.mp4", "leads outside"),
        ("loop.mp4", "not a usable path"),
        ("http://host/a.mp4", "not a file path"),
        ("file:///etc/hostname", "not a file path"),
        ("a\0.mp4", "not a file path"),
        ("a" * 5000, "not a file path"),
        ("a" * 300, "not a usable path"),
        ("clips", "is not in"),
        ("clips/", "is not in"),
        (".", "is not in"),
        ("gone/a.mp4", "is not in"),
        ("a.mp4/b.mp4", "is not in"),
        ("C:\\clips\\a.mp4", "is not in"),
    ],
)
def test_what_is_outside_or_missing_is_refused(tree: Path, name: str, message: str) -> None:
    root = MediaRoot(tree)
    for _ in range(2):
        with pytest.raises(DataError, match=message) as caught:
            root.file(name)
        assert "\n" not in str(caught.value)
        assert "secret" not in str(caught.value) or "secret" in name


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("A.MP4", "a.mp4"),
        ("clips/E.mp4", "clips/e.mp4"),
        ("inzide.mp4", "inside.mp4"),
        ("d.mp3", "d.wav"),
    ],
)
def test_the_nearest_name_is_told(tree: Path, name: str, meant: str) -> None:
    with pytest.raises(DataError, match=rf"'{name}' is not in .*base, but '{meant}' is; check"):
        MediaRoot(tree).file(name)


def test_the_directory_is_named_where_it_is_the_current_one(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tree)
    with pytest.raises(DataError) as caught:
        MediaRoot(Path("rows.jsonl").parent).file("gone.avi")
    assert str(caught.value) == f"media file 'gone.avi' is not in {tree}; check the path"


def test_no_name_is_told_where_none_is_near_or_after_many(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media_root, "GUESSES", 2)
    root, told = MediaRoot(tree), 0
    for name in ("nothing.avi", "A.MP4", "A.MP4", "B.MP4"):
        with pytest.raises(DataError) as caught:
            root.file(name)
        told += ", but " in str(caught.value)
    # The first has no near name, the second is told, two lookings are used up.
    assert told == 1


def test_a_directory_is_resolved_once(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def counted(root: Path, name: str) -> Path:
        asked.append(name)
        return contained_path(root, name)

    monkeypatch.setattr(media_root, "contained_path", counted)
    for index in range(200):
        (tree / "clips" / f"{index}.mp4").touch()
    root = MediaRoot(tree)
    assert len({root.file(f"clips/{index % 200}.mp4") for index in range(400)}) == 200
    assert asked == ["clips"]
