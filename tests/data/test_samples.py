"""Tests of data/samples.py: bad rows with their lines, ids, and the list of all problems."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from avatar_core.asking import question_text
from avatar_core.data import samples as module
from avatar_core.data.samples import Placed, check_samples, read_placed, read_samples
from avatar_core.errors import DataError
from avatar_core.json_rows import read_rows
from tests.data.conftest import ABSENT, Write

PLAIN: dict[str, Any] = {
    "question": "How many beeps?",
    "videos": ["clip.mp4"],
    "solution": "3",
    "problem_type": "numerical",
}
CHOICE = {**PLAIN, "problem_type": "multiple choice", "options": ["red", "blue"]}
CHAT = {**PLAIN, "question": ABSENT, "messages": [{"role": "user", "content": "<video>Q?"}]}
VIDEO_R1 = {
    "problem": "Q?",
    "data_type": "video",
    "path": "clip.mp4",
    "solution": "<answer>3</answer>",
    "problem_type": "numerical",
}

SOLUTIONS: list[tuple[Any, list[str], str, tuple[str, ...]]] = [
    ("B", ["red", "blue"], "B", ("red", "blue")),
    ("(B)", ["red", "blue"], "B", ("red", "blue")),
    ("<answer>B</answer>", ["red", "blue"], "B", ("red", "blue")),
    ("<think>x</think> <ANSWER> B. </ANSWER>", ["red", "blue"], "B", ("red", "blue")),
    ("Blue", ["red", "blue"], "B", ("red", "blue")),
    ("B. blue", ["A. red", "B. blue"], "B", ("red", "blue")),
    ("blue", ["(A) red", "(B) blue"], "B", ("red", "blue")),
    ("A", ["A: red", "B: blue"], "A", ("red", "blue")),
    ("B", ["A. red", "C. blue"], "B", ("A. red", "C. blue")),
    (4, ["3", "4"], "B", ("3", "4")),
    ("E", [], "E", ()),
]


def test_gold_letters_and_options(write: Write) -> None:
    for solution, options, letter, texts in SOLUTIONS:
        (sample,) = read_samples(write({**CHOICE, "solution": solution, "options": options}))
        assert (sample.solution, sample.options) == (letter, texts)
    assert len(SOLUTIONS) == 11


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "missing file": ({"videos": ["gone.mp4"]}, "media file 'gone.mp4' is not in"),
    "misspelt file": ({"videos": ["clipp.mp4"]}, "but 'clip.mp4' is; check the path"),
    "missing file of Video-R1": ({**VIDEO_R1, "path": "gone.mp4"}, "'gone.mp4' is not in"),
    "path above the root": ({"videos": ["../train.jsonl/../../x"]}, "leads outside"),
    "absolute path": ({"videos": ["/etc/hostname"]}, "leads outside"),
    "absolute path of Video-R1": ({**VIDEO_R1, "path": "/etc/hostname"}, "leads outside"),
    "link out of the root": ({"videos": ["link.mp4"]}, "leads outside"),
    "address": ({"videos": ["http://host/clip.mp4"]}, "not a file path"),
    "path with a zero byte": ({"videos": ["clip\0.mp4"]}, "not a file path"),
    "one path for a list": ({"videos": "clip.mp4"}, "videos must be a list"),
    "empty path": ({"videos": [""]}, "videos must be a list"),
    "nested path": ({"videos": [["clip.mp4"]]}, "videos must be a list"),
    "misspelt media key": ({"videos": ABSENT, "video": ["x"]}, "is 'video' meant for 'videos'?"),
    "no media": ({"videos": []}, "no media"),
    "two tags for one file": ({"question": "<video><video>both?"}, "2 <video> tags but 1 videos"),
    "tag of another kind": ({"question": "<audio>this?"}, "0 <video> tags but 1 videos"),
    "one tag for two files": (
        {**CHAT, "videos": ["clip.mp4", "clip.mp4"]},
        "1 <video> tags but 2 videos",
    ),
    "only a tag": ({"question": " <video> "}, "question is empty"),
    "empty question": ({"question": ""}, "question is empty"),
    "blank question": ({"question": " \n"}, "question is empty"),
    "question that is a number": ({"question": 3}, "question must be text"),
    "question that is an object": ({"question": {"text": "x"}}, "question must be text"),
    "no question": ({"question": ABSENT}, "no question; give it in question"),
    "two dialects": ({"problem": "x"}, "both problem and question"),
    "messages that are text": ({**CHAT, "messages": "x"}, "messages must be a list"),
    "messages without a user": (
        {**CHAT, "messages": [{"role": "assistant", "content": "x"}]},
        "one user turn",
    ),
    "message without content": ({**CHAT, "messages": [{"role": "user"}]}, "must be text"),
    "no solution": ({"solution": ABSENT}, "solution is missing"),
    "solution null": ({"solution": None}, "solution is missing"),
    "solution true": ({"solution": True}, "solution must be text or a number, found bool"),
    "solution a list": ({"solution": ["3"]}, "solution must be text or a number, found list"),
    "empty solution": ({"solution": ""}, "solution is empty"),
    "blank solution": ({"solution": "  "}, "solution is empty"),
    "empty answer tags": ({"solution": "<answer> </answer>"}, "solution is empty"),
    "no problem type": ({"problem_type": ABSENT}, "problem_type is missing; give one of"),
    "misspelt problem type key": (
        {"problem_type": ABSENT, "problemtype": "ocr"},
        "is 'problemtype' meant for 'problem_type'?",
    ),
    "unknown problem type": ({"problem_type": "numeric"}, "did you mean 'numerical'"),
    "problem type a list": ({"problem_type": ["ocr"]}, "problem_type must be text, found list"),
    "options of a number": ({"options": ["3", "4"]}, "but problem_type is 'numerical'"),
    "localisation without a pair": (
        {"problem_type": "localisation", "solution": "left"},
        "no `position: object` pair",
    ),
    "gold beyond the options": (
        {**CHOICE, "solution": "C"},
        "'C' is none of the options; give a letter from A to B",
    ),
    "gold of Video-R1 beyond the options": (
        {
            **VIDEO_R1,
            "problem_type": "multiple choice",
            "options": ["A. x", "B. y"],
            "solution": "<answer>C</answer>",
        },
        "'C' is none of the options",
    ),
    "gold text of no option": ({**CHOICE, "solution": "green"}, "'green' is none of the options"),
    "gold of two options": ({**CHOICE, "solution": "A. blue"}, "none of the options"),
    "gold letter and text": (
        {**CHOICE, "solution": "A", "options": ["B", "A"]},
        "the text of another",
    ),
    "equal options": ({**CHOICE, "solution": "A", "options": ["x", "X "]}, "same text"),
    "one option": ({**CHOICE, "solution": "A", "options": ["x"]}, "1 options are given"),
    "option that is a number": (
        {**CHOICE, "solution": "A", "options": ["x", 2]},
        "options must be a list",
    ),
    "options that are text": ({**CHOICE, "options": "A. x B. y"}, "options must be a list"),
    "gold text without options": (
        {**CHOICE, "solution": "red", "options": []},
        "none of the options",
    ),
    "stage that does not exist": ({"stage": 4}, "stage '4' does not exist"),
    "stage as text": ({"stage": "1"}, "stage '1' does not exist"),
    "hint that is a number": ({"hint": 3}, "hint must be text"),
    "response that is a list": ({"response": ["x"]}, "response must be text"),
    "process that is a list": ({**VIDEO_R1, "process": ["x"]}, "process must be text"),
    "captions that are numbers": ({"audio_cues": [1]}, "audio_cues must be a text or a list"),
    "empty id": ({"id": ""}, "id ''"),
    "id that is a fraction": ({"id": 1.5}, "id '1.5'"),
    "id of another row": ({"id": "good"}, "id 'good' is that of line 1 as well"),
    "unknown kind of media": ({**VIDEO_R1, "data_type": "film"}, "data_type 'film' does not exist"),
    "no path": ({**VIDEO_R1, "path": ABSENT}, "names no file"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_row_names_file_line_and_cause(name: str, write: Write, root: Path) -> None:
    (root / "link.mp4").symlink_to("/etc/hostname")
    changes, message = BAD[name]
    bad = changes if "problem" in changes and len(changes) > 2 else {**PLAIN, **changes}
    path = write({**PLAIN, "id": "good"}, bad)
    with pytest.raises(DataError) as caught:
        read_samples(path)
    told = str(caught.value)
    assert told.startswith(f"{path}:2: ")
    assert message in told
    assert "\n" not in told
    assert len(told) < 500
    assert check_samples(path) == ((told,), 1, 2)
    # The same row in an array is found as well.
    array = path.with_suffix(".json")
    array.write_text(",\n".join(path.read_text().splitlines()).join("[]"))
    with pytest.raises(DataError) as caught:
        read_samples(array)
    assert str(caught.value).startswith(f"{array}:2 (row 2): ")


LINES: dict[str, tuple[bytes, str]] = {
    "not JSON": (b"{'question': 1}", "not valid JSON (Expecting property name"),
    "half a row": (b'{"question": "x", ', "not valid JSON"),
    "a list": (b"[1]", "expected a JSON object, found list"),
    "NaN": (b'{"question": "x", "solution": NaN}', "NaN is no JSON number"),
    "infinity": (b'{"question": "x", "solution": 1e999}', "too large a number"),
    "a key twice": (b'{"solution": "A", "solution": "B"}', "key 'solution' is given twice"),
    "not UTF-8": (b'{"question": "\xe9"}', "not UTF-8 text"),
    "half a surrogate pair": (b'{"question": "\\ud800"}', "half of a surrogate pair"),
    "deep nesting": (b'{"question": ' + b"[" * 500 + b"]" * 500 + b"}", "nested deeper than"),
    "endless line": (b'{"question": "' + b"x" * (17 << 20) + b'"}', "line is longer than"),
}


@pytest.mark.parametrize("name", LINES)
def test_a_bad_line_is_named_too(name: str, write: Write) -> None:
    line, message = LINES[name]
    path = write({**PLAIN, "id": "good"})
    with path.open("ab") as file:
        file.write(line + b"\n" + json.dumps({**PLAIN, "id": "last"}).encode())
    with pytest.raises(DataError) as caught:
        read_samples(path)
    told = str(caught.value)
    assert told.startswith(f"{path}:2: ")
    assert message in told
    assert len(told) < 500
    assert check_samples(path) == ((told,), 1, 3)


def test_a_file_in_utf_16_is_refused_at_its_first_line(write: Write) -> None:
    path = write(PLAIN)
    path.write_text(json.dumps(PLAIN), encoding="utf-16")
    for reader in (read_samples, check_samples):
        with pytest.raises(DataError, match=r"train.jsonl:1: is UTF-16 text"):
            reader(path)


def test_windows_files_read_like_any_other(write: Write) -> None:
    path = write({**PLAIN, "id": "a"}, {**PLAIN, "id": "b"})
    expected = read_samples(path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert read_samples(path) == expected
    assert len(expected) == 2


def test_the_hint_and_the_caption_stay_out_of_the_question(write: Write) -> None:
    row = {**CHOICE, "solution": "A", "hint": "Listen.", "audio_cues": ["a bell"]}
    (sample,) = read_samples(write(row))
    assert sample.hint == "Listen."
    assert sample.extra == {"audio_cues": ["a bell"]}
    assert question_text(sample) == "How many beeps?\nA. red\nB. blue"


def test_the_media_root_may_be_elsewhere(write: Write, root: Path) -> None:
    media = root / "media"
    media.mkdir()
    (media / "other.mp4").write_bytes(b"x")
    inside = {**PLAIN, "videos": [str(media / "other.mp4")]}
    (sample,) = read_samples(write(inside), media_root=media)
    assert sample.media[0].path == str(media / "other.mp4")
    outside = {**PLAIN, "videos": [str(root / "clip.mp4")]}
    with pytest.raises(DataError, match="leads outside"):
        read_samples(write(outside), media_root=media)
    assert check_samples(write(outside), media_root=media).total == 1


def test_a_file_without_rows_or_no_file(write: Write, root: Path) -> None:
    with pytest.raises(DataError, match="has no rows"):
        read_samples(write())
    assert check_samples(write()) == ((), 0, 0)
    for reader in (read_samples, check_samples):
        with pytest.raises(DataError, match="cannot read"):
            reader(root / "gone.jsonl")


def test_places_go_with_the_samples(write: Write, root: Path) -> None:
    path = write({**PLAIN, "id": "a"}, {**PLAIN, "id": "b"})
    path.write_text("\n" + path.read_text().replace("}\n", "}\n\n"))
    placed = read_placed(path)
    assert [(p.sample.id, p.place) for p in placed] == [("a", f"{path}:2"), ("b", f"{path}:4")]
    array = root / "rows.json"
    array.write_text(json.dumps([{**PLAIN, "id": "a"}, {**PLAIN, "id": "b"}]))
    assert [p.place for p in read_placed(array)] == [f"{array}:1 (row 1)", f"{array}:1 (row 2)"]


def test_two_rows_of_one_id_are_refused(write: Write) -> None:
    pairs = [
        ({**PLAIN, "id": "x"}, {**CHOICE, "solution": "A", "id": "x"}),
        ({**PLAIN, "id": 7}, {**PLAIN, "id": "7"}),
        ({**PLAIN, "prompt_id": 7}, {**VIDEO_R1, "problem_id": 7}),
    ]
    for rows in pairs:
        with pytest.raises(DataError, match=r":2: id .* is that of line 1 as well"):
            read_samples(write(*rows))
    assert len(pairs) == 3


def test_a_row_that_stands_there_twice_is_told_without_an_id_that_nobody_gave(write: Write) -> None:
    path = write(CHOICE | {"solution": "A"}, PLAIN, {**PLAIN, "solution": "4"})
    with pytest.raises(DataError) as caught:
        read_samples(path)
    said = "the same question, options and media as line 2; remove one of the rows"
    assert str(caught.value) == f"{path}:3: {said}"


def test_a_default_id_is_that_of_question_and_content(write: Write, root: Path) -> None:
    def id_of(**changes: Any) -> str:
        return read_samples(write({**PLAIN, **changes}))[0].id

    first = id_of()
    (root / "copy.mp4").write_bytes((root / "clip.mp4").read_bytes())
    same = [id_of(videos=["copy.mp4"]), id_of(solution="4"), id_of(stage=1), id_of(id=None)]
    assert same == [first] * 4
    (root / "copy.mp4").write_bytes(b"another")
    others = {id_of(videos=["copy.mp4"]), id_of(question="How many flashes?")}
    others.add(id_of(videos=ABSENT, images=["clip.mp4"]))
    assert len(others | {first}) == 4


def test_content_is_read_once_per_file_and_only_for_rows_without_id(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def counted(path: str) -> str:
        asked.append(path)
        return "mark"

    monkeypatch.setattr(module, "content_mark", counted)
    read_samples(write({**PLAIN, "id": "a"}, {**VIDEO_R1, "problem_id": 1}))
    assert asked == []
    read_samples(write(PLAIN, {**PLAIN, "question": "Who?"}, {**PLAIN, "question": "Why?"}))
    assert [Path(path).name for path in asked] == ["clip.mp4"]


def test_all_problems_are_listed_up_to_a_limit(write: Write) -> None:
    rows = [
        {**PLAIN, "id": str(index), **({"solution": ""} if index % 2 else {})}
        for index in range(250)
    ]
    path = write(*rows)
    problems = check_samples(path)
    assert (problems.total, problems.rows, len(problems.listed)) == (125, 250, 100)
    assert problems.listed[0] == f"{path}:2: solution is empty; give the right answer"
    assert problems.listed[99].startswith(f"{path}:200: ")
    assert check_samples(path, limit=3).listed == problems.listed[:3]
    assert check_samples(write(*rows[::2])) == ((), 0, 125)


def test_a_caller_may_find_more_wrong_with_the_sound_rows(write: Write) -> None:
    rows = [{**PLAIN, "id": name} for name in "abc"]
    path = write(rows[0], {**rows[1], "solution": ""}, rows[2])
    asked: list[str] = []

    def also(placed: Placed) -> DataError | None:
        asked.append(placed.sample.id)
        return DataError(f"{placed.place}: no") if placed.sample.id == "c" else None

    problems = check_samples(path, also=also)
    told = (f"{path}:2: solution is empty; give the right answer", f"{path}:3: no")
    assert (problems, asked) == ((told, 2, 3), ["a", "c"])


def test_the_first_problem_ends_the_reading(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def counted(path: Path) -> Iterator[Any]:
        for row in read_rows(path):
            read.append(row.place)
            yield row

    monkeypatch.setattr(module, "read_rows", counted)
    path = write({**PLAIN, "solution": ""}, *[{**PLAIN, "id": str(n)} for n in range(50)])
    with pytest.raises(DataError):
        read_samples(path)
    assert read == [f"{path}:1"]
