from __future__ import annotations

import json
from pathlib import Path

import pytest

from avatar_core.benchmarks.item import Item
from avatar_core.benchmarks.registry import Selection, select
from avatar_core.benchmarks.tomato import SYSTEM, TOMATO, TYPES
from avatar_core.errors import DataError
from tests.benchmarks.kit import tomato as kit

IDS = [
    "count/0",
    "count/7",
    "direction/0",
    "rotation/0",
    "shape_trend/0",
    "velocity_frequency/0",
    "visual_cues/0",
]
GOLDS = "BABCGAD"


def loaded(root: Path, subset: str | None = None) -> list[Item]:
    return select(TOMATO, root, Selection(subset=subset))


def test_the_files_of_github_and_lmms_hold_the_same_questions(tmp_path: Path) -> None:
    for layout in ("github", "lmms"):
        kit.write(tmp_path / layout, layout)
        items = loaded(tmp_path / layout)
        assert [item.id for item in items] == IDS
        assert "".join(item.gold for item in items) == GOLDS
        assert [len(item.options) for item in items] == [5, 3, 3, 3, 7, 3, 4]
        assert [item.subset for item in items] == [name.split("/")[0] for name in IDS]
        assert not any(item.missing for item in items)
        folders = [Path(item.media[0].path).parent.name for item in items]
        assert folders == [item.groups["demonstration_type"][0] for item in items]
        assert items[-1].groups["reasoning_type"] == ("visual_cues",)


def test_hub_rows_are_named_by_what_they_ask(tmp_path: Path) -> None:
    kit.write(tmp_path / "one", "hub")
    kit.write(tmp_path / "two", "hub", reverse=True)
    items = loaded(tmp_path / "one")
    assert "".join(item.gold for item in items) == GOLDS
    assert [item.id.split("/")[0] for item in items] == [name.split("/")[0] for name in IDS]
    assert {item.id for item in loaded(tmp_path / "two")} == {item.id for item in items}
    assert len({item.id for item in items}) == 7


def test_a_video_of_another_demonstration_is_not_taken_for_a_missing_one(tmp_path: Path) -> None:
    kit.write(tmp_path, "hub")
    (missing,) = [item for item in loaded(tmp_path) if item.missing]
    assert missing.subset == "direction"
    assert missing.missing == (str(tmp_path.resolve() / "videos/human/0207-01.mp4"),)


def test_a_video_is_found_wherever_its_archive_put_it(tmp_path: Path) -> None:
    kit.write(tmp_path, "github")
    (tmp_path / "videos").rename(tmp_path / "TOMATO_videos")
    assert not any(item.missing for item in loaded(tmp_path))


def test_the_file_of_the_authors(tmp_path: Path) -> None:
    kit.write(tmp_path, "authors")
    items = loaded(tmp_path)
    assert "".join(item.gold for item in items) == GOLDS
    assert items[4].id == "shape&trend-0"
    assert items[4].question == "Which shape?"
    assert items[4].options == ("O", "S", "U", "V", "W", "X", "Z")
    assert items[4].groups == {"demonstration_type": ("object",)}
    assert not any(item.missing for item in items)
    with pytest.raises(DataError, match="row 1: motion_type None is none of count, direction"):
        loaded(tmp_path, "count")


def test_one_type_is_read_from_its_file_alone(tmp_path: Path) -> None:
    kit.write(tmp_path, "github")
    for stem in set(kit.ROWS) - {"shape&trend"}:
        (tmp_path / "data" / f"{stem}.json").unlink()
    assert [item.id for item in loaded(tmp_path, "shape_trend")] == ["shape_trend/0"]
    # A part of the questions is not passed off as all of them.
    with pytest.raises(DataError, match=r"data/count.json"):
        loaded(tmp_path)
    assert TOMATO.subsets == ("all", *TYPES)


def test_one_type_of_the_file_with_all(tmp_path: Path) -> None:
    kit.write(tmp_path, "lmms")
    assert [item.id for item in loaded(tmp_path, "count")] == ["count/0", "count/7"]


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"answer": 3}, "answer '3' is none of the 3 options"),
        ({"answer": -1}, "answer '-1' is none"),
        ({"answer": None}, "answer 'None' is none"),
        ({"options": ["one"]}, "has 1 options"),
        ({"options": []}, "processed_question is missing"),
        ({"key": None}, "names no video"),
        ({"key": "../../x"}, "row 1 .*not a path below"),
        ({"processed_question": "x" * 100_001}, "processed_question has 100001 characters"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, fields: dict[str, object], complaint: str) -> None:
    kit.write(tmp_path, "github")
    rows = {"3": {**kit.ROWS["direction"]["0"], **fields}}
    (tmp_path / "data" / "direction.json").write_text(json.dumps(rows))
    with pytest.raises(DataError, match=complaint):
        loaded(tmp_path)


def test_the_authors_text_is_used_as_it_is(tmp_path: Path) -> None:
    kit.write(tmp_path, "authors")
    path = tmp_path / "tomato.json"
    rows = json.loads(path.read_text())
    worded = "Look twice.\nWhich way?\n(A) Left\n(B) Right\n(C) Both"
    rows[2] |= {"processed_question": worded}
    path.write_text(json.dumps(rows))
    item = loaded(tmp_path)[2]
    assert item.question == "Which way?"
    assert f"\nQuestion: {worded}\n" in str(TOMATO.ask(item, "authors")[-1])
    assert worded not in str(TOMATO.ask(item, "think")[-1])


def test_wording(tmp_path: Path) -> None:
    kit.write(tmp_path, "github")
    item = loaded(tmp_path)[-1]
    texts = {style: TOMATO.ask(item, style)[-1] for style in TOMATO.styles}
    assert all(TOMATO.ask(item, style)[:-1] == item.media for style in TOMATO.styles)
    official = str(texts["official"])
    assert '\nWho moved?\n{"A": "She", "B": "He", "C": "They", "D": "No one"}\n' in official
    assert "A. She\nB. He\nC. They\nD. No one" in str(texts["authors"])
    assert "<think>" in str(texts["think"])
    assert TOMATO.system == {"official": SYSTEM}
