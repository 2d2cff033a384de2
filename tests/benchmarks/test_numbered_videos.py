"""What is believed of the files beside numbered videos."""

from __future__ import annotations

from pathlib import Path

import pytest

from avatar_core.benchmarks.numbered_videos import MAX_SIDECAR, numbered_videos
from avatar_core.errors import DataError


def test_the_last_part_of_an_address_names_the_file_beside_it(tmp_path: Path) -> None:
    for place, address in (
        ("00000/00000000", "site/watch?v=a-_1"),
        ("videos/00001/00000017", "be/b"),
    ):
        path = tmp_path / f"{place}.json"
        path.parent.mkdir(parents=True)
        path.write_text(f'{{"url": "{address}"}}', encoding="utf-8")
    assert numbered_videos(tmp_path) == {
        "a-_1": "00000/00000000.mp4",
        "b": "videos/00001/00000017.mp4",
    }


def test_files_beside_numbered_ones_are_not_trusted(tmp_path: Path) -> None:
    folder, outside = tmp_path / "home/00000", tmp_path / "outside.json"
    folder.mkdir(parents=True)
    for number, content in enumerate((b"\xff", b"[1]", b'{"url": 3, "key": "x"', b"{}")):
        (folder / f"{number:08}.json").write_bytes(content)
    with (folder / "00000005.json").open("wb") as long:
        long.truncate(MAX_SIDECAR + 1)
    assert numbered_videos(tmp_path / "home") == {}
    outside.write_text('{"url": "a/k"}', encoding="utf-8")
    (folder / "00000009.json").symlink_to(outside)
    with pytest.raises(DataError, match="leads outside"):
        numbered_videos(tmp_path / "home")
