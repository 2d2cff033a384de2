"""Tests of data/dialects.py: rows as the data sets write them, and the samples they become."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from avatar_core.data.dialects import DIALECTS, draft_of
from avatar_core.data.samples import read_samples
from avatar_core.errors import DataError
from avatar_core.types import MediaRef, Sample
from tests.data.conftest import Write


def turn(role: str, text: str) -> dict[str, str]:
    return {"role": role, "content": text}


SYSTEM = turn("system", "First think between <think> and </think>.")


def chat(*turns: dict[str, str], **fields: Any) -> dict[str, Any]:
    """A row of turns about one video."""
    return {"messages": list(turns), "videos": ["clip.mp4"], **fields}


def video(root: Path) -> MediaRef:
    return MediaRef("video", str(root / "clip.mp4"))


def image(root: Path) -> MediaRef:
    return MediaRef("image", str(root / "still.png"))


def audio(root: Path) -> MediaRef:
    return MediaRef("audio", str(root / "sound.wav"))


def test_a_native_row_with_everything(write: Write, root: Path) -> None:
    row = {
        "id": 7,
        "question": "How many beeps are heard?",
        "videos": ["clip.mp4"],
        "images": None,
        "solution": 3,
        "problem_type": "numerical",
        "stage": 2,
        "audio_cues": ["three beeps", "rain"],
        "hint": " Count the pauses. ",
        "response": "<think>Beep, beep, beep.</think><answer>3</answer>",
        "weight": 0.5,
    }
    assert read_samples(write(row)) == [
        Sample(
            id="7",
            question="How many beeps are heard?",
            media=(video(root),),
            solution="3",
            problem_type="numerical",
            responses=("<think>Beep, beep, beep.</think><answer>3</answer>",),
            stage=2,
            hint="Count the pauses.",
            extra={"audio_cues": ["three beeps", "rain"], "weight": 0.5},
        )
    ]


def test_a_native_row_about_several_files(write: Write, root: Path) -> None:
    row = {
        "id": "a",
        "question": "Which is louder?",
        "audios": ["sound.wav", "sound.wav"],
        "images": ["still.png"],
        "videos": ["clip.mp4"],
        "options": ["the first", "the second"],
        "solution": "the second",
        "problem_type": "multiple choice",
    }
    assert read_samples(write(row)) == [
        Sample(
            id="a",
            question="Which is louder?",
            media=(video(root), image(root), audio(root), audio(root)),
            solution="B",
            problem_type="multiple choice",
            options=("the first", "the second"),
        )
    ]


def test_the_authors_first_stage(write: Write, root: Path) -> None:
    row = chat(
        SYSTEM,
        turn("user", "<video>How many objects move?"),
        solution="<answer>4</answer>",
        problem_type="numerical",
    )
    (sample,) = read_samples(write(row))
    assert sample == Sample(
        id=sample.id,
        question="How many objects move?",
        media=(video(root),),
        solution="4",
        problem_type="numerical",
    )
    assert len(sample.id) == 32


def test_the_authors_second_stage(write: Write, root: Path) -> None:
    text = "<video>\nAudio caption: a dog barks.\nWhat barks?\nA. a dog\nB. a seal"
    row = chat(
        SYSTEM,
        turn("user", text),
        solution="<answer>A</answer>",
        problem_type="Multiple Choice",
        prompt_id="avqa-17",
        hint="Listen before you look.",
    )
    assert read_samples(write(row)) == [
        Sample(
            id="avqa-17",
            question="Audio caption: a dog barks.\nWhat barks?\nA. a dog\nB. a seal",
            media=(video(root),),
            solution="A",
            problem_type="multiple choice",
            hint="Listen before you look.",
        )
    ]


def test_the_authors_third_stage(write: Write, root: Path) -> None:
    row = {
        "question": "Where does each sound come from?",
        "audio_cues": "a bell, then rain",
        "videos": ["clip.mp4"],
        "solution": "left: bell; right: rain",
        "prompt_id": 3,
    }
    expected = Sample(
        id="3",
        question="Where does each sound come from?",
        media=(video(root),),
        solution="left: bell; right: rain",
        problem_type="localisation",
        extra={"audio_cues": "a bell, then rain"},
    )
    assert read_samples(write(row)) == [expected]
    # A solution in free text is for the judge alone.
    (told,) = read_samples(write({**row, "solution": "The bell is on the left."}))
    assert (told.problem_type, told.solution) == ("free-form", "The bell is on the left.")
    # A type that is given counts.
    (typed,) = read_samples(write({**row, "problem_type": "free-form"}))
    assert typed.problem_type == "free-form"


def test_the_question_beside_messages_is_kept_but_not_asked(write: Write, root: Path) -> None:
    row = chat(
        turn("user", "<video>Locate every sound. Think first."),
        question="Locate every sound.",
        audio_cues="a bell",
        solution="left: bell",
        id="x",
        prompt_id="y",
    )
    assert read_samples(write(row)) == [
        Sample(
            id="x",
            question="Locate every sound. Think first.",
            media=(video(root),),
            solution="left: bell",
            problem_type="localisation",
            extra={"audio_cues": "a bell", "question": "Locate every sound.", "prompt_id": "y"},
        )
    ]


def test_swift_rows_with_placeholders_and_a_reply(write: Write, root: Path) -> None:
    row = chat(
        turn("user", "<image>\n<audio>Does <video>it fit?"),
        turn("assistant", "<think>It does.</think><answer>yes</answer>"),
        audios=["sound.wav"],
        images=["still.png"],
        solution="yes",
        problem_type="free-form",
        id=1,
        objects={"ref": []},
    )
    assert read_samples(write(row)) == [
        Sample(
            id="1",
            question="Does it fit?",
            media=(image(root), audio(root), video(root)),
            solution="yes",
            problem_type="free-form",
            responses=("<think>It does.</think><answer>yes</answer>",),
            extra={"objects": {"ref": []}},
        )
    ]


def video_r1(**changes: Any) -> dict[str, Any]:
    row = {
        "problem_id": 2,
        "problem": "What lights up?",
        "data_type": "video",
        "problem_type": "multiple choice",
        "options": ["A. the lamp", "B. the door", "C. the floor"],
        "process": "<think>It is the door.\nYes, it is.</think>",
        "solution": "<answer>B</answer>",
        "path": "./clip.mp4",
        "data_source": "made up",
    }
    return {**row, **changes}


def test_video_r1_with_its_reasoning(root: Path) -> None:
    path = root / "rows.json"
    rows = [
        video_r1(),
        video_r1(
            problem_id=3,
            data_type="image",
            problem_type="OCR",
            options=[],
            process="",
            solution="<answer>STOP</answer>",
            path="./still.png",
        ),
    ]
    path.write_text(json.dumps(rows, indent=4))
    assert read_samples(path) == [
        Sample(
            id="2",
            question="What lights up?",
            media=(video(root),),
            solution="B",
            problem_type="multiple choice",
            options=("the lamp", "the door", "the floor"),
            responses=("<think>It is the door.\nYes, it is.</think><answer>B</answer>",),
            extra={"data_source": "made up"},
        ),
        Sample(
            id="3",
            question="What lights up?",
            media=(image(root),),
            solution="STOP",
            problem_type="ocr",
            extra={"data_source": "made up"},
        ),
    ]


def test_video_r1_rows_may_be_about_sound_and_several_files(write: Write, root: Path) -> None:
    row = video_r1(data_type="audio", path=["sound.wav", "sound.wav"], process=None)
    (sample,) = read_samples(write(row))
    assert sample.media == (audio(root), audio(root))
    assert sample.responses == ()


def test_one_file_may_mix_dialects(write: Write) -> None:
    native = {
        "question": "Q?",
        "images": ["still.png"],
        "solution": "x",
        "problem_type": "ocr",
        # A table exported to JSON has every key in every row.
        "messages": None,
        "problem": None,
        "problem_id": None,
    }
    turns = chat(turn("user", "Q?"), solution="x", problem_type="ocr")
    read = read_samples(write(native, turns, video_r1()))
    assert [sample.question for sample in read] == ["Q?", "Q?", "What lights up?"]
    assert read[0].extra == {"problem_id": None, "messages": None, "problem": None}
    assert set(DIALECTS) == {"messages", "problem", "question"}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({}, r"^no question; give it in question, messages or problem$"),
        ({"questions": "x"}, "; is 'questions' meant for 'question'"),
        ({"mesages": []}, "; is 'mesages' meant for 'messages'"),
        ({"question": None}, "no question"),
        ({"question": "x"}, r"^no media; name files under videos, images or audios$"),
        ({"question": "x", "video": ["clip.mp4"]}, "; is 'video' meant for 'videos'"),
        ({"question": "x", "videos": []}, "no media"),
        (video_r1(question="x"), "both problem and question are given; give the question once"),
        (video_r1(messages=[]), "both messages and problem are given"),
        (video_r1(data_type="vidio"), "data_type 'vidio' does not exist; did you mean 'video'"),
        (video_r1(data_type=None), "data_type 'None' does not exist; known: video, image, audio"),
        (video_r1(data_type=["video"]), "does not exist"),
        (video_r1(path=None), "path 'None' names no file"),
        (video_r1(path=""), "path '' names no file"),
        (video_r1(path={"a": 1}), "names no file"),
        (video_r1(problem=["x"]), "problem must be text"),
        (
            chat(turn("user", "x"), turn("assistant", "y"), response="z"),
            "response differs from the assistant's turn",
        ),
    ],
)
def test_what_speaks_no_dialect_is_refused(row: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        draft_of(row)


def test_a_reply_may_be_given_twice_when_it_is_the_same() -> None:
    draft = draft_of(chat(turn("user", "x"), turn("assistant", "y"), response="y"))
    assert draft.response == "y"
