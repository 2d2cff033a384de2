from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from avatar_core.data.samples import read_samples
from avatar_core.errors import DataError
from avatar_core.types import MediaRef

Write = Callable[..., Path]
PLAIN: dict[str, Any] = {
    "question": "How many beeps?",
    "videos": ["clip.mp4"],
    "solution": "3",
    "problem_type": "numerical",
}
CHOICE = {**PLAIN, "problem_type": "multiple choice", "options": ["red", "blue"]}
ABSENT = object()


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write rows to a file beside three media files; `ABSENT` leaves a key out."""
    for name in ("clip.mp4", "still.png", "sound.wav"):
        (tmp_path / name).write_bytes(name.encode())

    def to_file(*rows: dict[str, Any]) -> Path:
        path = tmp_path / "train.jsonl"
        kept = [{k: v for k, v in row.items() if v is not ABSENT} for row in rows]
        path.write_text("".join(json.dumps(row) + "\n" for row in kept))
        return path

    return to_file


def test_a_plain_row(write: Write, tmp_path: Path) -> None:
    row = {**PLAIN, "id": 7, "stage": 2, "hint": " listen ", "response": "<answer>3</answer>"}
    (sample,) = read_samples(write({**row, "audio_cues": "beeps", "weight": 2}))
    assert sample.id == "7"
    assert sample.question == "How many beeps?"
    assert sample.media == (MediaRef("video", str(tmp_path / "clip.mp4")),)
    assert (sample.solution, sample.problem_type, sample.options) == ("3", "numerical", ())
    assert (sample.stage, sample.hint, sample.responses) == (2, "listen", ("<answer>3</answer>",))
    assert sample.extra == {"audio_cues": "beeps", "weight": 2}


def test_messages_give_question_response_and_media_order(write: Write, tmp_path: Path) -> None:
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "<image>\n<video>Compare <audio> them."},
        {"role": "assistant", "content": "<answer>same</answer>"},
    ]
    media = {"videos": ["clip.mp4"], "images": ["still.png"], "audios": ["sound.wav"]}
    row = {"messages": messages, **media, "solution": "same", "problem_type": "free-form"}
    (sample,) = read_samples(write(row))
    assert sample.question == "Compare them."
    assert sample.responses == ("<answer>same</answer>",)
    names = ["still.png", "clip.mp4", "sound.wav"]
    assert [Path(ref.path).name for ref in sample.media] == names
    assert [ref.kind for ref in sample.media] == ["image", "video", "audio"]


def test_without_tags_the_order_is_videos_images_audios(write: Write) -> None:
    row = {**PLAIN, "audios": ["sound.wav"], "images": ["still.png"]}
    (sample,) = read_samples(write(row))
    assert [ref.kind for ref in sample.media] == ["video", "image", "audio"]


def test_content_may_be_a_list_of_texts(write: Write) -> None:
    content = [{"type": "text", "text": "<video>How "}, {"type": "text", "text": "many?"}]
    messages = [{"role": "user", "content": content}]
    (sample,) = read_samples(write({**PLAIN, "question": ABSENT, "messages": messages}))
    assert sample.question == "How many?"


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


def test_problem_types_in_other_spellings(write: Write) -> None:
    spellings = {"OCR": "ocr", "Free_form": "free-form", "multiple-choice": "multiple choice"}
    for given, expected in spellings.items():
        (sample,) = read_samples(write({**PLAIN, "problem_type": given, "solution": "C"}))
        assert sample.problem_type == expected


BAD: list[tuple[dict[str, Any], str]] = [
    ({"videos": ["gone.mp4"]}, "media file 'gone.mp4' is not in"),
    ({"videos": ["../train.jsonl/../../x"]}, "leads outside"),
    ({"videos": ["/etc/hostname"]}, "leads outside"),
    ({"videos": ["http://host/clip.mp4"]}, "not a file path"),
    ({"videos": "clip.mp4"}, "videos must be a list"),
    ({"videos": [""]}, "videos must be a list"),
    ({"videos": ABSENT, "video": ["clip.mp4"]}, "no media"),
    ({"videos": []}, "no media"),
    ({"question": "<video><video>both?"}, "2 <video> tags but 1 videos"),
    ({"question": "<audio>this?"}, "0 <video> tags but 1 videos"),
    ({"question": " <video> "}, "question is empty"),
    ({"question": 3}, "question must be text"),
    ({"question": ABSENT}, "either question or messages"),
    ({"messages": [{"role": "user", "content": "x"}]}, "either question or messages"),
    ({"question": ABSENT, "messages": "x"}, "messages must be a list"),
    ({"question": ABSENT, "messages": [{"role": "assistant", "content": "x"}]}, "one user turn"),
    ({"question": ABSENT, "messages": [{"role": "user"}]}, "must be text"),
    ({"solution": ABSENT}, "solution is missing"),
    ({"solution": None}, "solution is missing"),
    ({"solution": True}, "solution is missing"),
    ({"solution": "  "}, "solution is empty"),
    ({"solution": "<answer> </answer>"}, "solution is empty"),
    ({"problem_type": ABSENT}, "problem_type is missing"),
    ({"problem_type": "numeric"}, "did you mean 'numerical'"),
    ({"options": ["3", "4"]}, "options are given, but problem_type is 'numerical'"),
    ({"problem_type": "localisation", "solution": "left"}, "no `position: object` pair"),
    ({**CHOICE, "solution": "C"}, "'C' is none of the options; give a letter from A to B"),
    ({**CHOICE, "solution": "green"}, "'green' is none of the options"),
    ({**CHOICE, "solution": "A. blue"}, "none of the options"),
    ({**CHOICE, "solution": "A", "options": ["B", "A"]}, "the text of another"),
    ({**CHOICE, "solution": "A", "options": ["x", "X "]}, "same text"),
    ({**CHOICE, "solution": "A", "options": ["x"]}, "1 options are given"),
    ({**CHOICE, "solution": "A", "options": ["x", 2]}, "options must be a list"),
    ({**CHOICE, "solution": "red", "options": []}, "none of the options"),
    ({"stage": 4}, "stage 4 does not exist"),
    ({"stage": "1"}, "stage '1' does not exist"),
    ({"hint": 3}, "hint must be text"),
    ({"response": ["x"]}, "response must be text"),
    ({"id": ""}, "id ''"),
    ({"id": 1.5}, "id 1.5"),
]


def test_a_bad_row_names_file_line_and_cause(write: Write) -> None:
    for changes, message in BAD:
        path = write({**PLAIN, "id": "good"}, {**PLAIN, **changes})
        with pytest.raises(DataError) as caught:
            read_samples(path)
        assert str(caught.value).startswith(f"{path}:2: ")
        assert message in str(caught.value)
        assert "\n" not in str(caught.value)
    assert len(BAD) == 40


def test_a_link_out_of_the_root_is_refused(write: Write, tmp_path: Path) -> None:
    (tmp_path / "link.mp4").symlink_to("/etc/hostname")
    with pytest.raises(DataError, match=r"train.jsonl:1: .*leads outside"):
        read_samples(write({**PLAIN, "videos": ["link.mp4"]}))


def test_the_media_root_may_be_elsewhere(write: Write, tmp_path: Path) -> None:
    root = tmp_path / "media"
    root.mkdir()
    (root / "other.mp4").write_bytes(b"x")
    inside = {**PLAIN, "videos": [str(root / "other.mp4")]}
    (sample,) = read_samples(write(inside), media_root=root)
    assert sample.media[0].path == str(root / "other.mp4")
    with pytest.raises(DataError, match="leads outside"):
        read_samples(write({**PLAIN, "videos": [str(tmp_path / "clip.mp4")]}), media_root=root)


def test_a_file_without_rows_or_no_file(write: Write, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no rows"):
        read_samples(write())
    with pytest.raises(DataError, match="cannot read"):
        read_samples(tmp_path / "gone.jsonl")
    (tmp_path / "train.jsonl").write_text("{}\n[1]\n")
    with pytest.raises(DataError, match=r"train.jsonl:1: "):
        read_samples(tmp_path / "train.jsonl")


def test_two_rows_of_one_id_are_refused(write: Write) -> None:
    for rows in ([{**PLAIN, "id": "x"}, {**CHOICE, "solution": "A", "id": "x"}], [PLAIN, PLAIN]):
        with pytest.raises(DataError, match=r":2: id .* is that of line 1"):
            read_samples(write(*rows))


def test_a_default_id_is_that_of_question_and_content(write: Write, tmp_path: Path) -> None:
    def id_of(**changes: Any) -> str:
        return read_samples(write({**PLAIN, **changes}))[0].id

    first = id_of()
    (tmp_path / "copy.mp4").write_bytes(b"clip.mp4")
    same = [id_of(videos=["copy.mp4"]), id_of(solution="4"), id_of(stage=1)]
    assert same == [first] * 3
    (tmp_path / "copy.mp4").write_bytes(b"another")
    others = {id_of(videos=["copy.mp4"]), id_of(question="How many flashes?")}
    others.add(id_of(videos=ABSENT, images=["clip.mp4"]))
    assert len(others | {first}) == 4
