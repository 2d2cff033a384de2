"""Tests of data/media_files.py: the order of the prompt, and tags that have no file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from avatar_core.data.media_files import media_refs
from avatar_core.errors import DataError
from avatar_core.media_root import MediaRoot
from avatar_core.types import MediaRef


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A root with four files."""
    for name in ("a.mp4", "b.mp4", "c.png", "d.wav"):
        (tmp_path / name).touch()
    return tmp_path


def named(refs: tuple[MediaRef, ...]) -> list[tuple[str, str]]:
    return [(ref.kind, Path(ref.path).name) for ref in refs]


def test_tags_decide_the_order_of_the_files(tree: Path) -> None:
    given: dict[Any, object] = {
        "video": ["a.mp4", "b.mp4"],
        "image": ["c.png"],
        "audio": ["d.wav"],
    }
    root = MediaRoot(tree)
    assert named(media_refs(given, ("audio", "video", "image", "video"), root)) == [
        ("audio", "d.wav"),
        ("video", "a.mp4"),
        ("image", "c.png"),
        ("video", "b.mp4"),
    ]
    assert named(media_refs(given, (), root)) == [
        ("video", "a.mp4"),
        ("video", "b.mp4"),
        ("image", "c.png"),
        ("audio", "d.wav"),
    ]
    # One file may be asked about twice.
    assert named(media_refs({"video": ["a.mp4", "a.mp4"]}, (), root)) == [("video", "a.mp4")] * 2


@pytest.mark.parametrize(
    ("given", "kinds", "message"),
    [
        (
            {"video": "a.mp4"},
            (),
            r'^videos must be a list of file paths, for example \["clips/a.mp4"\]$',
        ),
        ({"video": [""]}, (), "videos must be a list of file paths"),
        ({"video": [["a.mp4"]]}, (), "videos must be a list of file paths"),
        ({"video": {"a.mp4": 1}}, (), "videos must be a list of file paths"),
        ({"audio": [None]}, (), "audios must be a list of file paths"),
        ({"video": ["a.mp4"]}, ("video", "video"), "2 <video> tags but 1 videos"),
        ({"video": ["a.mp4", "b.mp4"]}, ("video",), "1 <video> tags but 2 videos"),
        ({"video": ["a.mp4"], "image": ["c.png"]}, ("video",), "0 <image> tags but 1 images"),
    ],
)
def test_files_that_do_not_fit_are_refused(
    tree: Path, given: dict[Any, object], kinds: tuple[Any, ...], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        media_refs(given, kinds, MediaRoot(tree))
