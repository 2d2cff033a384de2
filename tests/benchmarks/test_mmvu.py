from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from avatar_core.benchmarks.item import Item
from avatar_core.benchmarks.mmvu import DISCIPLINE_OF, MMVU
from avatar_core.benchmarks.registry import Selection, select
from avatar_core.errors import DataError, UsageError
from avatar_core.types import MediaRef
from tests.benchmarks.kit import mmvu as kit

ALL = Selection(subset="all")


def items(root: Path, layout: str, selection: Selection = ALL) -> dict[str, Item]:
    kit.write(root, layout)
    return {item.id: item for item in select(MMVU, root, selection)}


def test_the_hub_layout(tmp_path: Path) -> None:
    found = items(tmp_path, "hub")
    assert list(found) == [entry[0] for entry in kit.QUESTIONS]
    first = found["validation_3"]
    assert first.options == ("etching", "rinsing", "curing", "polishing", "scaling")
    assert (first.gold, first.answer_kind, first.subset) == ("C", "mc", "mc")
    assert first.media == (MediaRef("video", str(tmp_path / "videos/Dentistry/4.mp4")),)
    # Files that share a name are told apart by their folder.
    other = found["validation_15"].media[0].path
    assert other == str(tmp_path / "videos/Modern_Physics/4.mp4")
    assert first.raw["youtube_url"] == "https://video.example/watch?v=none"


def test_a_missing_video_is_not_taken_from_another_subject(tmp_path: Path) -> None:
    found = items(tmp_path, "hub")
    expected = str(tmp_path / "videos/Art/9.mp4")
    assert (tmp_path / "videos/Law/9.mp4").is_file()
    assert found[kit.MISSING].missing == (expected,)
    assert found[kit.MISSING].media == (MediaRef("video", expected),)
    assert [item.id for item in found.values() if item.missing] == [kit.MISSING]


def test_open_questions_keep_their_text_and_are_part_of_all_alone(tmp_path: Path) -> None:
    found = items(tmp_path, "hub")
    asked = found["validation_40"]
    assert (asked.options, asked.gold) == ((), "Habeas data")
    assert (asked.answer_kind, asked.subset) == ("open", "open")
    assert asked.groups["scored"] == ("no_judge",)
    assert asked.open_rule == "exact"
    assert len(found) == 9
    usual = select(MMVU, tmp_path, Selection())
    assert [item.id for item in usual] == list(found)[:6]
    assert {item.answer_kind for item in usual} == {"mc"}
    assert all("scored" not in item.groups for item in usual)


def test_the_subject_is_the_folder(tmp_path: Path) -> None:
    groups = items(tmp_path, "hub")["validation_21"].groups
    assert groups["subject"] == ("Electronics and Communication",)
    assert groups["discipline"] == ("Engineering",)
    assert len(DISCIPLINE_OF) == 27
    assert set(DISCIPLINE_OF.values()) == {
        "Science",
        "Engineering",
        "Healthcare",
        "Humanities and Social Science",
    }


def test_every_layout_gives_the_same_questions(tmp_path: Path) -> None:
    hub = items(tmp_path / "hub", "hub", Selection())
    lmms = items(tmp_path / "lmms", "lmms", Selection())
    authors = items(tmp_path / "authors", "authors", Selection())
    assert list(lmms) == list(hub)
    # One record has no id there: it gets one of what it asks, the others keep theirs.
    assert list(authors)[:5] == list(hub)[:5]
    assert len(list(authors)[5]) == 16
    compared = 0
    for one, two, three in zip(hub.values(), lmms.values(), authors.values(), strict=True):
        facts = [
            (item.question, item.options, item.gold, item.groups) for item in (one, two, three)
        ]
        assert facts[0] == facts[1] == facts[2]
        compared += 1
    assert compared == 6
    assert not any(item.missing for item in (*lmms.values(), *authors.values()))


@pytest.mark.parametrize("layout", kit.LAYOUTS)
def test_ids_do_not_depend_on_the_order_of_the_file(tmp_path: Path, layout: str) -> None:
    forward = items(tmp_path / "one", layout)
    kit.write(tmp_path / "two", layout, reverse=True)
    backward = {item.id: item for item in select(MMVU, tmp_path / "two", ALL)}
    assert list(backward) == list(reversed(forward))
    assert all(backward[name].question == forward[name].question for name in forward)


def test_videos_are_found_where_an_archive_was_unpacked_elsewhere(tmp_path: Path) -> None:
    kit.write(tmp_path, "lmms")
    (tmp_path / "unpacked").mkdir()
    (tmp_path / "videos").rename(tmp_path / "unpacked" / "mmvu")
    paths = [item.media[0].path for item in select(MMVU, tmp_path, Selection())]
    assert paths[0] == str(tmp_path / "unpacked/mmvu/Dentistry/4.mp4")
    assert paths[2] == str(tmp_path / "unpacked/mmvu/Modern_Physics/4.mp4")


def rewritten(root: Path, **changes: Any) -> Path:
    """The hub layout with changes of its first row; `None` takes a field away."""
    kit.write(root, "hub")
    path = root / "validation.json"
    rows = json.loads(path.read_text(encoding="utf-8"))
    first = {**rows[0], **changes}
    rows[0] = {name: value for name, value in first.items() if value is not None}
    path.write_text(json.dumps(rows), encoding="utf-8")
    return root


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"answer": "F"}, "answer 'F' is none of the 5 options"),
        ({"answer": None}, "answer is missing"),
        ({"question": " "}, "question is blank"),
        ({"question_type": "essay"}, "question_type 'essay' is unknown"),
        ({"choices": kit.NOTHING}, "has no choices"),
        ({"choices": {"A": "x", "C": "y"}}, "letters A, C"),
        ({"choices": ["x", "y"]}, "choices must be an object"),
        ({"video": "https://data.example/4.mp4"}, "names no file of the data set"),
        ({"video": kit.PREFIX + "videos/..%2f..%2f4.mp4"}, "not a path below"),
        ({"video": None}, "video_path or video is missing"),
        ({"processed_question": "x" * 100_001}, "processed_question has 100001 characters"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError) as caught:
        select(MMVU, rewritten(tmp_path, **changes), Selection())
    assert words in str(caught.value)


def test_bad_rows_name_file_and_row(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="validation.json: row 1"):
        select(MMVU, rewritten(tmp_path, answer="F"), Selection())


def test_other_subsets_and_splits_do_not_exist(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="known: mc, all"):
        select(MMVU, tmp_path, Selection(subset="open"))
    with pytest.raises(UsageError, match="known: validation"):
        select(MMVU, tmp_path, Selection(split="test"))


def asked(item: Item, style: str) -> str:
    video, words = MMVU.ask(item, style)  # type: ignore[arg-type]
    assert video == item.media[0]
    assert isinstance(words, str)
    return words


def test_how_questions_are_worded(tmp_path: Path) -> None:
    found = items(tmp_path, "hub")
    choice, free = found["validation_3"], found["validation_40"]
    official = asked(choice, "official")
    assert official.startswith("Question: Which step comes last in the film?\nA: etching\nB: ")
    assert "<answer>" not in official
    authors = asked(choice, "authors")
    assert "Question: Which step comes last in the film?\nA. etching\nB. rinsing\n" in authors
    assert "one capital letter" in authors
    assert "<think>" in asked(choice, "think")
    # An open question has no letter to ask for, whatever the style.
    assert "letter" not in asked(free, "official") + asked(free, "think")
    assert asked(free, "authors") == asked(free, "official")
    assert "a short answer between <answer>" in asked(free, "think")


def test_the_authors_wording_is_used_as_it_is(tmp_path: Path) -> None:
    kit.write(tmp_path, "authors")
    path = tmp_path / "mmvu.json"
    rows = json.loads(path.read_text(encoding="utf-8"))
    worded = "Look twice.\nWhich step?\n(A) one\n(B) two"
    rows[0] |= {"processed_question": worded, "answer": "B"}
    path.write_text(json.dumps(rows), encoding="utf-8")
    first = select(MMVU, tmp_path, Selection())[0]
    assert (first.options, first.gold) == (("one", "two"), "B")
    assert first.question == "Which step comes last in the film?"
    assert f"\nQuestion: {worded}\n" in asked(first, "authors")
    assert worded not in asked(first, "think")
