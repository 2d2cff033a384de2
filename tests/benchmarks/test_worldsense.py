"""WorldSense: what the adapter makes of its files, and how it words a question."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from avatar_core.benchmarks.item import Item
from avatar_core.benchmarks.registry import Selection, select
from avatar_core.benchmarks.worldsense import WORLDSENSE
from avatar_core.errors import DataError
from avatar_core.types import MediaRef
from tests.benchmarks.kit import worldsense as kit


def items(root: Path, layout: str, *, reverse: bool = False) -> list[Item]:
    home = root / f"{layout}{reverse}"
    home.mkdir()
    kit.write(home, layout, reverse=reverse)
    return select(WORLDSENSE, home, Selection())


def test_the_file_of_the_hub_gives_one_item_for_every_task(tmp_path: Path) -> None:
    loaded = {item.id: item for item in items(tmp_path, "hub")}
    assert list(loaded) == [
        f"{kit.LAMP}_task0",
        f"{kit.LAMP}_task1",
        f"{kit.BELL}_task0",
        f"{kit.BELL}_task1",
        f"{kit.BELL}_task2",
        f"{kit.GOAL}_task0",
        f"{kit.GONE}_task0",
    ]
    bell = loaded[f"{kit.BELL}_task2"]
    assert bell.question == "Why does the choir stop?"
    assert bell.options == ("A bell is late.", "The light fails.", "Both A and B.", "Rain.")
    assert (bell.gold, bell.answer_kind, bell.missing) == ("C", "mc", ())
    assert bell.media == (MediaRef("video", str(tmp_path / f"hubFalse/videos/{kit.BELL}.MP4")),)
    assert bell.groups == {
        "domain": ("Music",),
        "task_domain": ("Reasoning",),
        "task_type": ("Causal Reasoning",),
        "duration": ("1-2min",),
        "audio_class": ("Music", "Speech"),
    }
    assert "task0" not in bell.raw and bell.raw["video_caption"]


def test_a_question_of_three_options_has_three_letters(tmp_path: Path) -> None:
    lamp = items(tmp_path, "hub")[1]
    assert (len(lamp.options), lamp.gold) == (3, "C")
    (_, text) = WORLDSENSE.ask(lamp, "official")
    assert "(A, B or C)" in str(text)
    assert "C. Daylight comes." in str(text) and "D." not in str(text)


def test_a_missing_video_is_named_where_it_was_looked_for_first(tmp_path: Path) -> None:
    missing = {item.id: item.missing for item in items(tmp_path, "hub") if item.missing}
    assert missing == {f"{kit.GONE}_task0": (str(tmp_path / f"hubFalse/videos/{kit.GONE}.mp4"),)}
    assert not any(item.missing for item in items(tmp_path, "authors"))


def test_the_copy_with_one_row_per_question_says_the_same(tmp_path: Path) -> None:
    hub, copy = items(tmp_path, "hub"), items(tmp_path, "lmms")
    assert [item.id for item in copy[:3]] == [f"{kit.LAMP}_0", f"{kit.LAMP}_1", f"{kit.BELL}_2"]
    assert [(item.question, item.options, item.gold) for item in copy] == [
        (item.question, item.options, item.gold) for item in hub
    ]
    assert "domain" not in copy[0].groups
    assert copy[5].groups["duration"] == hub[5].groups["duration"] == ("95",)
    assert copy[5].groups["audio_class"] == ("Speech", "Event", "Music")
    assert not any(item.missing for item in copy)


@pytest.mark.parametrize("layout", kit.LAYOUTS)
def test_the_order_of_the_file_changes_no_item(tmp_path: Path, layout: str) -> None:
    there, back = items(tmp_path, layout), items(tmp_path, layout, reverse=True)
    assert [item.id for item in there] == [item.id for item in reversed(back)]
    assert [item.gold for item in there] == [item.gold for item in reversed(back)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"answer": "D"}, r"task0.*answer 'D' is none of the 3 options"),
        ({"answer": None}, "task0: answer is missing"),
        ({"question": " "}, "task0: question is blank"),
        ({"candidates": []}, "task0.*no options"),
        ({"candidates": [1, {}]}, "task0: candidates must be text"),
    ],
)
def test_a_bad_task_is_named(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    good = kit.task("Recognition", "Scene Recognition", "Where?", ["A. x", "B. y", "C. z"], "A")
    _write(tmp_path, {"v": kit.video("v", "s", "Games", ["Event"], {**good, **change})})
    with pytest.raises(DataError, match=message):
        select(WORLDSENSE, tmp_path, Selection())


def test_a_task_that_is_no_object_is_refused(tmp_path: Path) -> None:
    _write(tmp_path, {"v": {"video_id": "v", "task0": "What?"}})
    with pytest.raises(DataError, match="'v'.*task0: a task must be an object"):
        select(WORLDSENSE, tmp_path, Selection())


def test_authors_and_think_ask_for_a_letter_and_for_tags(tmp_path: Path) -> None:
    item = items(tmp_path, "hub")[0]
    for style, wanted in (("authors", "one capital letter"), ("think", "</answer>")):
        video, text = WORLDSENSE.ask(item, style)  # type: ignore[arg-type]
        assert video == item.media[0]
        assert wanted in str(text) and "B. A switch." in str(text)
    assert WORLDSENSE.system is None


def _write(root: Path, document: object) -> None:
    (root / "worldsense_qa.json").write_text(json.dumps(document), encoding="utf-8")
