"""One question about one file, through the public function."""

from __future__ import annotations

from pathlib import Path

import pytest

from avatar_core.errors import MediaError, NoSoundError, UsageError
from avatar_core.inference import Answer, infer


@pytest.mark.parametrize(
    ("name", "modalities", "frames"),
    [
        ("clip.mp4", ("text", "frames", "sound"), 4),
        ("silent.mp4", ("text", "frames"), 4),
        ("sound.m4a", ("text", "sound"), None),
        ("sound.mp4", ("text", "sound"), None),
        ("still.png", ("text", "frames"), 1),
    ],
)
def test_every_kind_of_file_is_answered(
    name: str, modalities: tuple[str, ...], frames: int | None, files: Path, run: str
) -> None:
    answer = infer(files / name, "What is this?", model=run)
    assert (answer.modalities, answer.frames) == (modalities, frames)
    assert (answer.sound_seconds is not None) == ("sound" in modalities)
    assert answer.prompt_tokens > len("What is this?") / 4
    assert answer.seconds > 0
    assert set(answer.to_document()) >= {
        "answer",
        "reasoning",
        "text",
        "modalities",
        "frames",
        "seconds",
    }


def test_options_change_what_is_shown(files: Path, run: str) -> None:
    def shown(**options: object) -> Answer:
        return infer(files / "clip.mp4", "What?", model=run, max_new_tokens=1, **options)

    whole = shown()
    assert (whole.frames, whole.truncated) == (4, True)
    assert whole.sound_seconds == pytest.approx(2.0, abs=0.1)
    assert shown(audio="off").modalities == ("text", "frames")
    assert shown(audio="on").modalities == ("text", "frames", "sound")
    assert shown(max_frames=2).frames == 2
    # Of 10 frames a second, 15, 16 and 17 lie in the window; frames come in pairs.
    assert shown(start=1.5, end=1.7).frames == 2
    # Four frames of the clip and the picture.
    both = shown(also=(files / "still.png",))
    assert both.frames == 5
    assert both.prompt_tokens > whole.prompt_tokens


BAD: list[tuple[str, dict[str, object], type[Exception], str]] = [
    ("clip.mp4", {"question": "  "}, UsageError, "question is empty"),
    ("gone.mp4", {}, MediaError, "cannot be opened"),
    ("notes.txt", {}, MediaError, "damaged or not a media file"),
    ("clip.mp4", {"also": ("gone.mp4",)}, MediaError, "cannot be opened"),
    ("silent.mp4", {"audio": "on"}, NoSoundError, "has no sound track"),
    ("still.png", {"audio": "on"}, UsageError, "--audio on"),
    ("sound.m4a", {"audio": "off"}, UsageError, "--audio off"),
    ("sound.mp4", {"audio": "off"}, UsageError, "holds sound and no picture"),
    ("sound.mp4", {"start": 90.0}, MediaError, "as sound: has no sound between"),
    # The window holds sound and one frame: what is no sound file is not answered by its sound.
    ("clip.mp4", {"start": 1.85, "end": 1.99}, MediaError, "fewer than 2 frames"),
    ("still.png", {"start": 1.0}, UsageError, "leave them out for an image"),
    ("clip.mp4", {"start": 2.0, "end": 1.0}, UsageError, "--end 1 is not after --start 2"),
    ("clip.mp4", {"start": 90.0}, MediaError, "fewer than 2 frames"),
    ("clip.mp4", {"start": float("nan")}, UsageError, "start"),
    ("clip.mp4", {"fps": 0}, UsageError, "fps"),
    ("clip.mp4", {"frames": 3}, UsageError, "unknown configuration key 'frames'"),
    ("clip.mp4", {"model": "/nowhere/at/all"}, UsageError, "no such run or model"),
]


def test_bad_input_is_one_sentence(files: Path, run: str) -> None:
    for name, changes, kind, message in BAD:
        options: dict[str, object] = {"question": "What?", "model": run, **changes}
        question = str(options.pop("question"))
        with pytest.raises(kind) as caught:
            infer(files / name, question, **options)
        assert message in str(caught.value)
        assert "\n" not in str(caught.value)
    assert len(BAD) == 17


def test_the_default_model_is_that_of_the_environment(
    files: Path, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AVATAR_MODEL", run)
    given = infer(files / "still.png", "What?", model=run)
    assert infer(files / "still.png", "What?").text == given.text
