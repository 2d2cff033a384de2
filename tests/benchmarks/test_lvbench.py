"""LVBench: questions nested in videos or flat, and where a video may be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from avatar_core.benchmarks.item import Item
from avatar_core.benchmarks.lvbench import LVBENCH
from avatar_core.benchmarks.registry import Selection, select
from avatar_core.errors import DataError
from avatar_core.types import MediaRef
from tests.benchmarks.kit import lvbench as kit


def items(root: Path, layout: str, *, reverse: bool = False) -> list[Item]:
    home = root / f"{layout}{reverse}"
    home.mkdir()
    kit.write(home, layout, reverse=reverse)
    return select(LVBENCH, home, Selection())


def asked(root: Path, *listed: object) -> list[Item]:
    line = json.dumps({"key": "k", "qa": list(listed)})
    (root / "video_info.meta.jsonl").write_text(line, encoding="utf-8")
    return select(LVBENCH, root, Selection())


def test_the_file_of_the_hub_gives_one_item_for_every_question(tmp_path: Path) -> None:
    loaded = items(tmp_path, "hub")
    assert [item.id for item in loaded] == [
        f"{kit.MATCH}_11",
        f"{kit.MATCH}_12",
        f"{kit.MATCH}_13",
        f"{kit.TOON}_31",
        f"{kit.TOON}_32",
        f"{kit.GONE}_40",
    ]
    first = loaded[0]
    assert (first.question, first.gold, first.answer_kind) == ("Who scores first?", "B", "mc")
    assert first.options == ("Red", "Blue", "Nobody", "Both")
    assert first.groups == {"question_type": ("event understanding", "reasoning")}
    home = tmp_path / "hubFalse/all_videos"
    assert first.media == (MediaRef("video", str(home / f"{kit.MATCH}.mp4")),)
    assert loaded[3].media == (MediaRef("video", str(home / f"{kit.TOON}.webm")),)
    assert [item.missing for item in loaded[4:]] == [(), (str(home / f"{kit.GONE}.mp4"),)]
    assert "qa" not in first.raw and first.raw["time_reference"]


def test_numbered_files_are_found_by_what_lies_beside_them(tmp_path: Path) -> None:
    loaded = items(tmp_path, "numbered")
    folder = tmp_path / "numberedFalse/videos/00000"
    assert [item.media[0].path for item in loaded] == [
        *[str(folder / "00000000.mp4")] * 3,
        *[str(folder / "00000001.mp4")] * 2,
        str(folder / "00000002.mp4"),
    ]
    assert not any(item.missing for item in loaded)


@pytest.mark.parametrize("layout", ["lmms", "authors"])
def test_flat_files_say_the_same(tmp_path: Path, layout: str) -> None:
    hub, flat = items(tmp_path, "hub"), items(tmp_path, layout)
    assert [(item.question, item.options, item.gold) for item in flat[:6]] == [
        (item.question, item.options, item.gold) for item in hub
    ]
    assert all(item.groups == {} and item.missing == () for item in flat)


def test_ids_of_flat_files(tmp_path: Path) -> None:
    lmms, authors = items(tmp_path, "lmms"), items(tmp_path, "authors")
    assert [item.id for item in lmms] == [
        kit.ident(video, number)
        for video, number in ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (2, 0))
    ]
    assert authors[0].id == f"{kit.MATCH}_q11"
    assert [item.id for item in authors[5:]] == [kit.ident(2, 0), f"{kit.ident(2, 0)}#2"]


@pytest.mark.parametrize("layout", kit.LAYOUTS)
def test_the_order_of_the_file_changes_no_item(tmp_path: Path, layout: str) -> None:
    there, back = items(tmp_path, layout), items(tmp_path, layout, reverse=True)
    golds = {item.id: item.gold for item in there}
    assert golds == {item.id: item.gold for item in back} and len(golds) >= 6


def test_the_authors_text_is_used_as_it_is(tmp_path: Path) -> None:
    item = items(tmp_path, "authors")[0]
    video, text = LVBENCH.ask(item, "authors")
    assert video == item.media[0]
    processed = "Who scores first?\nA. Red\nB. Blue\nC. Nobody\nD. Both"
    assert f"Question: {processed}\n" in str(text)
    # Without that field it is made of question and options.
    assert LVBENCH.ask(items(tmp_path, "hub")[0], "authors")[1] == text


def test_official_and_think_show_each_option_once(tmp_path: Path) -> None:
    item = items(tmp_path, "hub")[0]
    for style, wanted in (("official", "letter"), ("think", "</answer>")):
        _, text = LVBENCH.ask(item, style)  # type: ignore[arg-type]
        assert wanted in str(text)
        assert str(text).count("Nobody") == 1 and "C. Nobody" in str(text)
    assert LVBENCH.system is None


def test_the_authors_text_may_be_all_there_is(tmp_path: Path) -> None:
    row = {"video_path": "x.mp4", "processed_question": "Who?\n(A) I\n(B) You", "answer": "B"}
    (tmp_path / "lvbench.json").write_text(json.dumps([row]), encoding="utf-8")
    (item,) = select(LVBENCH, tmp_path, Selection())
    assert (item.question, item.options, item.gold) == ("Who?", ("I", "You"), "B")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"answer": "E"}, "line 1, question 1: answer 'E' is none of the 4 options"),
        ({"answer": ""}, "question 1: answer is blank"),
        ({"question": None}, "question 1: question or processed_question is missing"),
        ({"question": "Who?"}, "question 1: no options"),
        ({"question_type": [["x"]]}, "question_type must be text"),
        ({"video_path": "/etc/x.mp4"}, "line 1, question 1: .*not a path below"),
        ({"options": [*"abcd"], "processed_question": "x" * 100_001}, "has 100001 characters"),
    ],
)
def test_a_bad_question_is_named(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    good = kit.question("1", "Who?", ["a", "b", "c", "d"], "A", "reasoning")
    with pytest.raises(DataError, match=message):
        asked(tmp_path, {**good, **change})


def test_questions_that_are_no_objects_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="question 1: a question must be an object"):
        asked(tmp_path, "Who?")
    line = json.dumps({"key": "k", "qa": "Who?"})
    (tmp_path / "video_info.meta.jsonl").write_text(line, encoding="utf-8")
    with pytest.raises(DataError, match="qa must be a list"):
        select(LVBENCH, tmp_path, Selection())
