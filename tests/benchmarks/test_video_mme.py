from __future__ import annotations

import json
from pathlib import Path

import pytest

from avatar_core.benchmarks.registry import Selection, select
from avatar_core.benchmarks.video_mme import VIDEO_MME
from avatar_core.errors import DataError
from avatar_core.types import MediaRef
from tests.benchmarks.kit import video_mme as kit

IDS = ["001-1", "001-2", "001-3", "002-1", "002-2", "003-1"]


def test_every_layout_holds_the_same_questions(tmp_path: Path) -> None:
    for layout in kit.LAYOUTS:
        kit.write(tmp_path / layout, layout)
        items = select(VIDEO_MME, tmp_path / layout, Selection())
        assert [item.id for item in items] == IDS
        assert "".join(item.gold for item in items) == "CDABAB"
        assert items[1].options == ("Exit", "Open", "Closed", "Vitamin A")
        assert items[0].groups == {
            "duration": ("short",),
            "domain": ("Knowledge",),
            "sub_category": ("Geography",),
            "task_type": ("Counting Problem",),
        }
        missing = [item.id for item in items if item.missing]
        assert missing == (["003-1"] if layout == "hub" else [])
    assert len(kit.LAYOUTS) == 3


def test_videos_are_found_by_folder_and_suffix(tmp_path: Path) -> None:
    kit.write(tmp_path, "authors")
    items = {item.id: item for item in select(VIDEO_MME, tmp_path, Selection())}
    assert [Path(items[name].media[0].path).name for name in ("001-1", "002-1", "003-1")] == [
        "-kQ2xW_9aLm.mp4",
        "0123456789A.MP4",
        "Zz-Top_00.1.mkv",
    ]


def test_a_missing_video_is_named_where_it_should_be(tmp_path: Path) -> None:
    kit.write(tmp_path, "hub")
    item = select(VIDEO_MME, tmp_path, Selection())[-1]
    path = str(tmp_path.resolve() / "data" / "Zz-Top_00.1.mp4")
    assert item.missing == (path,)
    assert item.media == (MediaRef("video", path),)


def test_an_item_without_an_id_is_named_by_what_it_asks(tmp_path: Path) -> None:
    rows = [{**row, "question_id": None} for row in kit.ROWS]
    (tmp_path / "videomme.json").write_text(json.dumps(rows))
    ids = [item.id for item in select(VIDEO_MME, tmp_path, Selection())]
    (tmp_path / "videomme.json").write_text(json.dumps(rows[::-1]))
    turned = [item.id for item in select(VIDEO_MME, tmp_path, Selection())]
    assert turned == ids[::-1]
    assert len(set(ids)) == 6


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("answer", "E", "answer 'E' is none of the 4 options"),
        ("answer", None, "answer is missing"),
        ("options", ["A. One."], "has 1 options"),
        ("videoID", None, "videoID is missing"),
        ("videoID", "../../x", "not a path below"),
        ("question", " ", "question is blank"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, field: str, value: object, complaint: str) -> None:
    rows = [kit.ROWS[0], {**kit.ROWS[1], field: value}]
    (tmp_path / "videomme.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(DataError, match=complaint):
        select(VIDEO_MME, tmp_path, Selection())


def test_no_files_prints_the_tree(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="data/<videoID>.mp4"):
        select(VIDEO_MME, tmp_path, Selection())


def test_wording(tmp_path: Path) -> None:
    kit.write(tmp_path, "jsonl")
    item = select(VIDEO_MME, tmp_path, Selection())[0]
    for style in VIDEO_MME.styles:
        *shown, text = VIDEO_MME.ask(item, style)
        assert tuple(shown) == item.media
        assert isinstance(text, str)
        assert "How many kites fly?\nA. One.\nB. Two.\nC. Three.\nD. Four." in text
    official = VIDEO_MME.ask(item, "official")[-1]
    assert isinstance(official, str)
    assert "(A, B, C or D)" in official
    assert official.endswith("\nThe best answer is:")
    assert VIDEO_MME.styles == ("official", "authors", "think")
    assert VIDEO_MME.system is None
