"""Rows of a file of questions, sound and unsound."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from avatar_core.errors import DataError
from avatar_core.inference.rows import Question, read_questions
from avatar_core.types import MediaRef


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.mp4", "b.mp4", "c.wav", "d.png"):
        (tmp_path / name).write_bytes(name.encode())
    return tmp_path


def read(folder: Path, *rows: Any) -> list[Question]:
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    (folder / "rows.jsonl").write_text("\n".join(lines))
    return read_questions(folder / "rows.jsonl")


def test_simple_rows_and_rows_of_training_data(folder: Path) -> None:
    video, other = (
        MediaRef("video", str(folder / "a.mp4")),
        MediaRef("video", str(folder / "b.mp4")),
    )
    found = read(
        folder,
        {"id": "one", "video": "a.mp4", "question": "What?", "start": 1, "end": 2.5},
        {"video": ["d.png", "a.mp4", "c.wav", "b.mp4"], "question": "Which?"},
        {"id": 3, "messages": [{"role": "user", "content": "<video>Why?"}], "videos": ["b.mp4"]},
        {"question": "Which?", "videos": ["a.mp4"], "options": ["red", "blue"], "solution": "A"},
    )
    assert [question.error for question in found] == [None] * 4
    assert [question.id for question in found][::2] == ["one", "3"]
    assert [question.text for question in found] == [
        "What?",
        "Which?",
        "Why?",
        "Which?\nA. red\nB. blue",
    ]
    assert found[0].media == (MediaRef("video", str(folder / "a.mp4"), 1.0, 2.5),)
    # Videos, pictures, sounds, as in training data without tags.
    assert found[1].media == (
        video,
        other,
        MediaRef("image", str(folder / "d.png")),
        MediaRef("audio", str(folder / "c.wav")),
    )
    assert found[2].media == (other,)


def test_a_row_that_repeats_gets_a_number(folder: Path) -> None:
    row = {"video": "a.mp4", "question": "What?"}
    plain, again, named, twice, thrice = (
        question.id
        for question in read(
            folder, row, row, {**row, "id": "x"}, {**row, "id": "x"}, {**row, "id": "x"}
        )
    )
    assert again == f"{plain}#2"
    assert (named, twice, thrice) == ("x", "x#2", "x#3")
    # 2 is the number of a row of its own; wherever that one stands, it keeps its id.
    for names in (["a", "a#2", "a", "a"], ["a#2", "a", "a", "a"], ["a", "a", "a", "a#2"]):
        found = [question.id for question in read(folder, *({**row, "id": n} for n in names))]
        assert sorted(found) == ["a", "a#2", "a#3", "a#4"]
        assert found.index("a#2") == names.index("a#2")
    # The id is of the content: the order of rows does not count.
    assert read(folder, {**row, "question": "Why?"}, row)[1].id == plain


def test_what_is_wrong_with_a_row_stands_in_its_place(folder: Path) -> None:
    bad: list[tuple[Any, str]] = [
        ("{", "not valid JSON"),
        ({"video": "a.mp4"}, "no question"),
        ({"video": "a.mp4", "question": " "}, "question is empty"),
        ({"question": "What?"}, "no media"),
        ({"video": 3, "question": "What?"}, "video must be a file path"),
        ({"video": [], "question": "What?"}, "no media"),
        ({"video": "gone.mp4", "question": "What?"}, "'gone.mp4' is not in"),
        ({"video": "../a.mp4", "question": "What?"}, "leads outside"),
        ({"video": "a.mp4", "videos": ["b.mp4"], "question": "What?"}, "both video and videos"),
        ({"video": "d.png", "question": "What?", "start": 1}, "for rows with one video or sound"),
        ({"video": ["a.mp4", "b.mp4"], "question": "?", "end": 1}, "for rows with one video"),
        ({"video": "a.mp4", "question": "What?", "start": 2, "end": 1}, "end 1 is not after"),
        ({"video": "a.mp4", "question": "What?", "start": "2"}, "start '2' is no second"),
        ({"video": "a.mp4", "question": "What?", "id": True}, "id 'True' must be text"),
    ]
    found = read(folder, *(row for row, _ in bad), {"id": "ok", "video": "a.mp4", "question": "?"})
    assert len(found) == len(bad) + 1 == 15
    for number, ((_, message), question) in enumerate(zip(bad, found, strict=False), start=1):
        assert question.error is not None
        assert question.error.startswith(f"{folder / 'rows.jsonl'}:{number}: ")
        assert message in question.error
        assert question.id == f"line {number}"
    assert found[-1].error is None


def test_a_file_without_rows_is_refused(folder: Path) -> None:
    with pytest.raises(DataError, match="has no rows"):
        read(folder)
    with pytest.raises(DataError, match="cannot read"):
        read_questions(folder / "gone.jsonl")
