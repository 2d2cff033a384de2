from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from avatar_core.benchmarks.item import Item
from avatar_core.benchmarks.registry import Selection, select
from avatar_core.benchmarks.video_holmes import VIDEO_HOLMES
from avatar_core.errors import DataError
from avatar_core.types import MediaRef
from tests.benchmarks.kit import video_holmes as kit


def items(root: Path, layout: str, *, reverse: bool = False) -> list[Item]:
    kit.write(root, layout, reverse=reverse)
    return select(VIDEO_HOLMES, root, Selection())


def test_the_hub_layout(tmp_path: Path) -> None:
    found = items(tmp_path, "hub")
    assert len(found) == 8
    second = found[1]
    assert second.id == "aB3dE_fGh1k_2"
    assert second.options == ("Storm", "Sabotage", "Old bulb", "Power cut", "A dream", "A prank")
    assert (second.gold, second.answer_kind) == ("F", "mc")
    assert second.groups == {"question_type": ("TCI",)}
    assert second.media == (MediaRef("video", str(tmp_path / "videos/aB3dE_fGh1k.mp4")),)
    assert second.raw["Explanation"] == "An invented one."
    assert [len(item.options) for item in found] == [6, 6, 6, 6, 6, 6, 4, 6]


def test_a_missing_film_stays_in_the_list(tmp_path: Path) -> None:
    found = items(tmp_path, "hub")
    assert [item.missing for item in found[:-1]] == [()] * 7
    assert found[-1].missing == (str(tmp_path / f"videos/{kit.MISSING}.mp4"),)


@pytest.mark.parametrize(
    ("layout", "place"),
    [
        ("lmms", "videos_cropped/abc_123.mp4"),
        ("authors", "Benchmark/videos/abc_123.mp4"),
        ("flat", "video/abc_123.webm"),
    ],
)
def test_films_are_found_in_every_layout(tmp_path: Path, layout: str, place: str) -> None:
    found = items(tmp_path, layout)
    assert found[5].media[0].path == str(tmp_path / place)
    assert not any(item.missing for item in found)


def test_questions_that_share_a_number_keep_their_ids_in_any_order(tmp_path: Path) -> None:
    forward = {item.id: item.question for item in items(tmp_path / "one", "hub")}
    backward = {item.id: item.question for item in items(tmp_path / "two", "hub", reverse=True)}
    assert forward == backward
    assert list(forward) == list(reversed(backward))
    shared = [name for name in forward if name.startswith("-x9Yz_00abc_2_")]
    assert {forward[name] for name in shared} == {"What happens first?", "Which object comes back?"}
    assert "-x9Yz_00abc_1" in forward
    assert "-x9Yz_00abc_2" not in forward


def test_the_same_row_twice_is_two_items(tmp_path: Path) -> None:
    kit.write(tmp_path, "hub")
    path = tmp_path / "test_Video-Holmes.json"
    path.write_text(json.dumps([kit.ROWS[0], kit.ROWS[0]]), encoding="utf-8")
    first, second = select(VIDEO_HOLMES, tmp_path, Selection())
    assert second.id == f"{first.id}#2"


def test_the_train_split(tmp_path: Path) -> None:
    kit.write(tmp_path, "hub")
    (only,) = select(VIDEO_HOLMES, tmp_path, Selection(split="train"))
    assert (only.id, only.gold, only.missing) == ("trainFilm01_1", "A", ())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"Answer": "G"}, "answer 'G' is none of the 6 options"),
        ({"Answer": None}, "Answer is missing"),
        ({"Options": {"A": "x"}}, "has 1 options"),
        ({"Options": None}, "no options were found"),
        ({"Options": {"A": "x", "B": ["y"]}}, "Options must be an object of texts"),
        ({"Options": {"B": "x", "C": "y"}}, "Options has the letters B, C"),
        ({"Question": ""}, "Question is blank"),
        ({"video ID": None}, "video ID is missing"),
        ({"video ID": "../up"}, "not a path below"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    kit.write(tmp_path, "hub")
    rows = [{**kit.ROWS[0], **changes}]
    (tmp_path / "test_Video-Holmes.json").write_text(json.dumps(rows), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        select(VIDEO_HOLMES, tmp_path, Selection())
    assert words in str(caught.value)


def test_without_the_annotation_file_the_tree_is_shown(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="videos_cropped"):
        select(VIDEO_HOLMES, tmp_path, Selection())


def test_options_without_a_text_at_the_end_are_no_options(tmp_path: Path) -> None:
    kit.write(tmp_path, "hub")
    options = {"A": "One", "B": "Two", "C": 3, "D": "", "E": None, "F": " "}
    rows = [{**kit.ROWS[0], "Options": options}]
    (tmp_path / "test_Video-Holmes.json").write_text(json.dumps(rows), encoding="utf-8")
    (only,) = select(VIDEO_HOLMES, tmp_path, Selection())
    assert only.options == ("One", "Two", "3")


def test_how_questions_are_worded(tmp_path: Path) -> None:
    item = items(tmp_path, "hub")[6]
    words = {}
    for style in VIDEO_HOLMES.styles:
        video, text = VIDEO_HOLMES.ask(item, style)
        assert video == item.media[0]
        words[style] = str(text)
    assert list(words) == ["official", "authors", "think"]
    assert "A: Greed, B: Envy, C: Pride, D: Sloth" in words["official"]
    assert words["official"].index("<think>") < words["official"].index("<answer>")
    assert "What does the film warn of?\nA. Greed\nB. Envy\n" in words["authors"]
    # The authors ask for no reasoning.
    assert "<" not in words["authors"]
    assert "\nD. Sloth\n" in words["think"]
    assert "<think>" in words["think"]
    assert VIDEO_HOLMES.system is None
