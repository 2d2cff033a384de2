from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from avatar_core.benchmarks.daily_omni import DAILY_OMNI
from avatar_core.benchmarks.item import Item
from avatar_core.benchmarks.registry import Selection, select
from avatar_core.errors import DataError
from avatar_core.types import MediaRef
from tests.benchmarks.kit import daily_omni as kit


def items(root: Path, layout: str, *, reverse: bool = False) -> list[Item]:
    kit.write(root, layout, reverse=reverse)
    return select(DAILY_OMNI, root, Selection())


def test_the_hub_layout(tmp_path: Path) -> None:
    found = items(tmp_path, "hub")
    assert len(found) == 8
    first = found[0]
    # Letters are taken off.
    assert first.options == ("A bell", "A dog", "Rain", "Silence")
    assert (first.gold, first.answer_kind) == ("A", "mc")
    assert first.groups == {
        "type": ("AV Event Alignment",),
        "video_category": ("Education",),
        "video_duration": ("30s",),
    }
    path = tmp_path / "Videos/Zx1_yW2vU3t/Zx1_yW2vU3t_video.mp4"
    assert first.media == (MediaRef("video", str(path)),)
    assert first.raw["content_fine_category"] == "Class"
    assert found[1].raw["Explaination"] == "The bell is heard first."


def test_the_item_that_occurs_twice_is_kept_twice(tmp_path: Path) -> None:
    found = items(tmp_path, "hub")
    assert found[6].id == f"{found[4].id}#2"
    assert found[6].question == found[4].question
    assert len({item.id for item in found}) == 8


def test_ids_come_from_video_question_and_options(tmp_path: Path) -> None:
    found = items(tmp_path / "one", "hub")
    assert found[0].question == found[1].question == found[3].question
    assert len({found[0].id, found[1].id, found[3].id}) == 3
    assert all(item.id.startswith(f"{item.raw['video_id']}_") for item in found)
    again = items(tmp_path / "two", "hub", reverse=True)
    facts = {item.id: (item.question, item.options, item.gold) for item in found}
    assert {item.id: (item.question, item.options, item.gold) for item in again} == facts
    # In the file's order: the second of the doubled one comes first now and has the plain id.
    assert [item.question for item in again] == [item.question for item in reversed(found)]


def test_a_missing_video_stays_in_the_list(tmp_path: Path) -> None:
    found = items(tmp_path, "hub")
    path = str(tmp_path / f"Videos/{kit.MISSING}/{kit.MISSING}_video.mp4")
    assert [item.missing for item in found] == [()] * 7 + [(path,)]


def test_the_authors_layout_has_the_folders_at_the_top(tmp_path: Path) -> None:
    found = items(tmp_path, "authors")
    assert found[7].media[0].path == str(tmp_path / f"{kit.MISSING}/{kit.MISSING}_video.mp4")
    assert not any(item.missing for item in found)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"Answer": "E"}, "answer 'E' is none of the 4 options"),
        ({"Answer": None}, "Answer is missing"),
        ({"Choice": []}, "no options were found"),
        ({"Choice": ["A. x", {"B": "y"}]}, "Choice must be text"),
        ({"Question": None}, "Question is missing"),
        ({"video_id": "/etc/x"}, "not a path below"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    kit.write(tmp_path, "hub")
    rows = [kit.ROWS[1], {**kit.ROWS[0], **changes}]
    (tmp_path / "qa.json").write_text(json.dumps(rows), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        select(DAILY_OMNI, tmp_path, Selection())
    assert words in str(caught.value)


def test_how_questions_are_worded(tmp_path: Path) -> None:
    item = items(tmp_path, "hub")[2]
    video = item.media[0]
    text, last = DAILY_OMNI.ask(item, "official")
    # The benchmark's script puts the text first, the authors' puts the video first.
    assert last == video
    assert DAILY_OMNI.ask(item, "authors") == (video, text)
    # The list is Python's own: single quotes, double ones where a text has an apostrophe.
    assert (
        """\nChoices: ["A. The teacher's joke", 'B. The word "stop"', 'C. A drawing', """
        """'D. The bell']\n"""
    ) in str(text)
    assert "\nQuestion: What comes second?\n" in str(text)
    assert "from A to D" in str(text)
    shown, thought = DAILY_OMNI.ask(item, "think")
    assert shown == video
    assert "\nC. A drawing\n" in str(thought)
    assert "<think>" in str(thought)
    assert DAILY_OMNI.system is not None
    assert list(DAILY_OMNI.system) == ["authors"]
    assert DAILY_OMNI.system["authors"].startswith("You are Qwen, ")
