"""Tests of benchmarks/lookup.py: suffixes, search by name, doubtful names, ways out of the root."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from avatar_core.benchmarks import lookup
from avatar_core.benchmarks.lookup import VIDEO_SUFFIXES, MediaFiles
from avatar_core.errors import DataError
from tests.benchmarks.kit.payloads import HOSTILE_PATHS, SECRET, opened, set_traps

PLACE = "qa.json: row 7"


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    base = tmp_path.resolve() / "data"
    touch(base, "videos/a.mp4", "videos/b.MP4", "videos/c.webm", "videos/noise", "sounds/x.mp4.mp3")
    touch(base, "pictures/p.png", "frames/clip_one/00001.jpg")
    return base


def shown(root: Path, *candidates: str) -> tuple[str, bool]:
    found = MediaFiles(root).file(*candidates, place=PLACE)
    return os.path.relpath(found.path, root), found.missing


def test_candidates_are_tried_in_order_with_the_suffixes_of_a_video(root: Path) -> None:
    cases = {
        ("videos/a.mp4",): "videos/a.mp4",
        ("clips/a.mp4", "videos/a.mp4"): "videos/a.mp4",
        ("videos/b.mp4",): "videos/b.MP4",
        ("videos/b",): "videos/b.MP4",
        ("videos/c.mp4",): "videos/c.webm",
        ("./videos//a.avi",): "videos/a.mp4",
        ("videos/noise",): "videos/noise",
        ("sounds/x.mp4.mp3",): "sounds/x.mp4.mp3",
    }
    for candidates, expected in cases.items():
        assert shown(root, *candidates) == (expected, False)
    assert len(cases) == 8


def test_every_suffix_stands_for_every_other(tmp_path: Path) -> None:
    pairs = 0
    for there in VIDEO_SUFFIXES:
        root = tmp_path / there.replace(".", "_")
        touch(root, f"x{there}")
        for asked in (*VIDEO_SUFFIXES, "", ".MKV"):
            assert shown(root, f"x{asked}") == (f"x{there}", False)
            pairs += 1
    assert pairs == 48


def test_a_picture_or_sound_is_never_taken_for_a_video(root: Path) -> None:
    assert shown(root, "videos/a.png") == ("videos/a.png", True)
    assert shown(root, "pictures/p.mp4") == ("pictures/p.mp4", True)
    assert shown(root, "pictures/p") == ("pictures/p", True)
    # The suffix of another picture will do, since the search goes by kind and stem.
    assert shown(root, "elsewhere/p.jpg") == ("pictures/p.png", False)


def test_a_dot_within_a_name_is_no_suffix(tmp_path: Path) -> None:
    touch(tmp_path, "v/clip.v1.mp4", "v/clip.mp4")
    assert shown(tmp_path, "v/clip.v1") == ("v/clip.v1.mp4", False)
    assert shown(tmp_path, "v/clip.v2") == ("v/clip.v2", True)


def test_a_file_elsewhere_is_found_by_its_name_and_then_by_its_stem(root: Path) -> None:
    touch(root, "unpacked/part_3/Zx1_yW2.mp4", "unpacked/part_4/Zx1_yW3.mkv")
    assert shown(root, "videos/Zx1_yW2.mp4", "Zx1_yW2.mp4") == (
        "unpacked/part_3/Zx1_yW2.mp4",
        False,
    )
    assert shown(root, "videos/Zx1_yW3.mp4") == ("unpacked/part_4/Zx1_yW3.mkv", False)
    # Only the first candidate is searched for.
    assert shown(root, "videos/gone.mp4", "clips/Zx1_yW2.mp4") == ("videos/gone.mp4", True)
    assert shown(root, "videos/zx1_yw2.mp4") == ("videos/zx1_yw2.mp4", True)


def test_of_several_the_folder_tells_and_nothing_is_guessed(root: Path) -> None:
    touch(root, "x/star/abcdef.mp4", "x/sta/abcdef.mp4", "y/star/uvwxyz.mp4", "z/star/uvwxyz.mp4")
    assert shown(root, "video/star/abcdef.mp4") == ("x/star/abcdef.mp4", False)
    assert shown(root, "video/sta/abcdef.mp4") == ("x/sta/abcdef.mp4", False)
    assert shown(root, "video/none/abcdef.mp4") == ("video/none/abcdef.mp4", True)
    assert shown(root, "video/star/uvwxyz.mp4") == ("video/star/uvwxyz.mp4", True)
    assert shown(root, "z/star/uvwxyz.mp4") == ("z/star/uvwxyz.mp4", False)


def test_a_name_that_only_counts_is_not_taken_from_another_folder(tmp_path: Path) -> None:
    touch(tmp_path, "videos/Art/4.mp4", "clevrer/video_10009.mp4", "unpacked/Law/7.mp4")
    assert shown(tmp_path, "videos/Dentistry/4.mp4") == ("videos/Dentistry/4.mp4", True)
    assert shown(tmp_path, "perception/video_10009.mp4") == ("perception/video_10009.mp4", True)
    assert shown(tmp_path, "videos/Law/7.mp4") == ("unpacked/Law/7.mp4", False)
    # Whoever asks for it without a folder says that the name is enough.
    assert shown(tmp_path, "videos/4.mp4", "4.mp4") == ("videos/Art/4.mp4", False)


def test_folders_are_found_alike(root: Path) -> None:
    files = MediaFiles(root)
    assert files.folder("frames/clip_one", place=PLACE) == (str(root / "frames/clip_one"), False)
    assert files.folder("tvqa/clip_one", "x/clip_one", place=PLACE) == (
        str(root / "frames/clip_one"),
        False,
    )
    assert files.folder("tvqa/clip_two/", place=PLACE) == (str(root / "tvqa/clip_two"), True)
    # What an item counts as missing.
    assert files.folder("frames/clip_one", place=PLACE).lacking == ()
    assert files.folder("tvqa/clip_two/", place=PLACE).lacking == (str(root / "tvqa/clip_two"),)
    # Neither is a file a folder nor the other way round.
    assert files.folder("videos/a.mp4", place=PLACE).missing
    assert files.file("frames/clip_one", place=PLACE).missing


def test_the_root_is_searched_once_and_hidden_files_never(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(root, ".cache/unfinished.mp4", "__MACOSX/._unfinished.mp4")
    searches = []
    walk = lookup._walk

    def counted(root: Path) -> object:
        searches.append(root)
        return walk(root)

    monkeypatch.setattr(lookup, "_walk", counted)
    files = MediaFiles(root)
    assert not files.file("videos/a.mp4", place=PLACE).missing
    assert searches == []
    assert files.file("videos/unfinished.mp4", place=PLACE).missing
    assert files.file("videos/none.mp4", place=PLACE).missing
    assert searches == [root]


def test_a_root_of_too_many_files_is_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup, "MAX_FILES", 5)
    with pytest.raises(DataError, match="holds more than 5 files; give the directory of one"):
        MediaFiles(root).file("videos/none.mp4", place=PLACE)


def test_five_thousand_missing_files_cost_little(root: Path) -> None:
    files = MediaFiles(root)
    start = time.process_time()
    missing = sum(
        files.file(f"videos/m{n}x.mp4", f"v/m{n}x", place=PLACE).missing for n in range(5000)
    )
    assert missing == 5000
    assert time.process_time() - start < 3


@pytest.mark.parametrize("payload", HOSTILE_PATHS, ids=lambda text: ascii(text)[:30])
def test_a_way_out_of_the_root_is_refused_before_anything_is_opened(
    root: Path, payload: str
) -> None:
    set_traps(root)
    files = MediaFiles(root)
    with opened() as seen:
        for ask in (files.file, files.folder):
            for candidates in ((payload,), (payload, "videos/a.mp4"), ("gone.mp4", payload)):
                with pytest.raises(DataError) as caught:
                    ask(*candidates, place=PLACE)
                assert "\n" not in str(caught.value)
                assert str(caught.value).startswith(f"{PLACE}: ")
    assert [path for path in seen if not path.startswith(str(root))] == []


def test_there_are_enough_ways_out() -> None:
    assert len(set(HOSTILE_PATHS)) >= 30


@pytest.mark.parametrize("name", ["out.mp4", "zero.mp4", "linked.mp4"])
def test_a_link_that_leaves_the_root_is_not_found_by_its_name(root: Path, name: str) -> None:
    set_traps(root)
    (root / "videos/linked.mp4").symlink_to(root.parent / SECRET)
    with pytest.raises(DataError, match="qa.json: row 7: .* leads outside"):
        MediaFiles(root).file(f"elsewhere/{name}", place=PLACE)


@pytest.mark.parametrize(
    "name", ["concat:x|y", "pipe:0", "~/x.mp4", "%2e%2e/secret.mp4", "$HOME/x"]
)
def test_a_strange_name_is_a_file_of_that_name(root: Path, name: str) -> None:
    found = MediaFiles(root).file(name, place=PLACE)
    assert (found.path, found.missing) == (str(root / name), True)
