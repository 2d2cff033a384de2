from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from avatar_core.config.inference import InferConfig
from avatar_core.config.media import MediaConfig
from avatar_core.errors import MediaError, NoSoundError, UsageError
from avatar_core.inference import (
    Answer,
    Drawn,
    finish,
    infer,
    kind_of,
    majority,
    media_settings,
    stream_answer,
    text_pieces,
)
from avatar_core.models.policy import Sampling
from avatar_core.models.tiny import tiny_tokenizer
from tests.media.clips import tone, write_clip
from tests.tiny_run import tiny_run

TOKENIZER = tiny_tokenizer()


def decode(ids: torch.Tensor) -> str:
    return str(TOKENIZER.decode(ids.tolist(), skip_special_tokens=True))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_run(tmp_path_factory.mktemp("run") / "run"))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file of each kind."""
    folder = tmp_path_factory.mktemp("files")
    write_clip(folder / "clip.mp4", sound=tone(2.0))
    write_clip(folder / "silent.mp4")
    write_clip(folder / "sound.m4a", frames=0, sound=tone(2.0))
    (folder / "sound.mp4").write_bytes((folder / "sound.m4a").read_bytes())
    Image.fromarray(np.full((56, 84, 3), 90, np.uint8)).save(folder / "still.png")
    (folder / "notes.txt").write_text("no film")
    return folder


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
    assert answer.seconds > 0
    assert set(answer.to_document()) >= {
        "answer",
        "reasoning",
        "text",
        "modalities",
        "frames",
        "seconds",
    }


def test_pieces_are_the_text_and_greedy_repeats(files: Path, run: str) -> None:
    config = InferConfig(video=files / "clip.mp4", question="What?", model=run, max_new_tokens=20)
    pieces: list[str] = []
    answer = finish(stream_answer(config), pieces.append)
    assert "".join(pieces) == answer.text != ""
    assert len(pieces) > 1
    again = infer(files / "clip.mp4", "What?", model=run, max_new_tokens=20)
    assert again.text == answer.text
    assert infer(files / "clip.mp4", "What?", model=run).text != answer.text


def test_options_change_what_is_shown(files: Path, run: str) -> None:
    def shown(**options: object) -> Answer:
        return infer(files / "clip.mp4", "What?", model=run, max_new_tokens=1, **options)

    assert shown(audio="off").modalities == ("text", "frames")
    assert shown(audio="on").modalities == ("text", "frames", "sound")
    assert shown(max_frames=2).frames == 2
    # Of 10 frames a second, 15, 16 and 17 lie in the window; frames come in pairs.
    assert shown(start=1.5, end=1.7).frames == 2
    assert shown().truncated


def test_media_settings_keep_bounds_in_order() -> None:
    trained = MediaConfig(min_frames=4, max_frames=8, min_pixels=3136, max_pixels=3136, workers=3)
    config = InferConfig(video=Path("x"), question="?", max_frames=2, max_pixels=784, fps=9.0)
    changed = media_settings(config, trained)
    assert (changed.min_frames, changed.max_frames) == (2, 2)
    assert (changed.min_pixels, changed.max_pixels, changed.image_max_pixels) == (784, 784, 784)
    assert (changed.fps, changed.workers) == (9.0, 1)
    plain = media_settings(InferConfig(video=Path("x"), question="?"), trained)
    assert plain == trained.model_copy(update={"workers": 1})


def test_several_samples_vote(files: Path, run: str) -> None:
    answers = [
        infer(files / "clip.mp4", "What?", model=run, samples=3, seed=seed) for seed in (0, 0, 1)
    ]
    assert answers[0].text == answers[1].text != answers[2].text


def test_of_several_samples_the_one_given_says_whether_it_is_whole(files: Path, run: str) -> None:
    # Untrained, the model does not end a text with its first token.
    cut = infer(files / "clip.mp4", "What?", model=run, samples=3, max_new_tokens=1)
    assert cut.truncated
    assert cut.to_document()["truncated"] is True


def test_a_whole_winner_is_not_truncated(
    files: Path, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = [Drawn("<think>x", True), Drawn("<answer>red</answer>", False)]
    monkeypatch.setattr("avatar_core.inference.draw_texts", lambda *_: drawn)
    answer = infer(files / "clip.mp4", "What?", model=run, samples=2)
    assert (answer.answer, answer.truncated) == ("red", False)
    drawn.append(Drawn("<answer>blue", True))
    drawn.append(Drawn("<answer>blue", True))
    answer = infer(files / "clip.mp4", "What?", model=run, samples=4)
    assert (answer.answer, answer.truncated) == ("blue", True)


def test_draws_are_from_the_whole_distribution_unless_told(
    files: Path, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[Sampling] = []

    def generate(_policy: object, _encoded: object, sampling: Sampling, _seeds: object) -> None:
        used.append(sampling)
        raise StopHere

    monkeypatch.setattr("avatar_core.models.qwen_omni.QwenOmniPolicy.generate", generate)
    for options in ({}, {"temperature": 0.5, "top_k": 3}):
        with pytest.raises(StopHere):
            infer(files / "clip.mp4", "What?", model=run, samples=2, max_new_tokens=7, **options)
    assert used == [Sampling(7, 1.0, 0, 1.0), Sampling(7, 0.5, 3, 1.0)]


class StopHere(Exception):
    """Nothing more is wanted of a call."""


def test_the_most_frequent_answer_wins() -> None:
    red, blue = "<answer>Red</answer>", "<think>x</think><answer>blue</answer>"
    assert majority([blue, red, "<answer> red </answer>"]) == 1
    assert majority([blue, red]) == 0
    assert majority(["<think>a", red]) == 1
    assert majority(["<think>a", "<think>b"]) == 0


@given(st.lists(st.integers(0, len(TOKENIZER) - 1), max_size=40))
@settings(max_examples=200, deadline=None)
def test_pieces_of_any_tokens_join_to_their_text(ids: list[int]) -> None:
    pieces = list(text_pieces(ids, decode))
    assert "".join(pieces) == decode(torch.tensor(ids, dtype=torch.long))
    assert all(pieces)


@given(st.text(max_size=30))
@settings(max_examples=100, deadline=None)
def test_no_character_is_broken(text: str) -> None:
    ids = TOKENIZER(text, add_special_tokens=False)["input_ids"]
    pieces = list(text_pieces(ids, decode))
    assert "".join(pieces) == decode(torch.tensor(ids, dtype=torch.long))
    for piece in pieces[:-1]:
        assert not piece.endswith("\N{REPLACEMENT CHARACTER}")


def test_a_character_of_several_tokens_waits() -> None:
    ids = TOKENIZER("a🎬b", add_special_tokens=False)["input_ids"]
    assert len(ids) == 6  # the clapper board is four bytes, of which the vocabulary joins none
    assert list(text_pieces(ids, decode)) == ["a", "🎬", "b"]


BAD: list[tuple[str, dict[str, object], type[Exception], str]] = [
    ("clip.mp4", {"question": "  "}, UsageError, "question is empty"),
    ("gone.mp4", {}, MediaError, "cannot be opened"),
    ("notes.txt", {}, MediaError, "damaged or not a media file"),
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
    ("clip.mp4", {"model": "/nowhere/at/all"}, UsageError, "neither a directory"),
]


def test_bad_input_is_one_sentence(files: Path, run: str) -> None:
    for name, changes, kind, message in BAD:
        options: dict[str, object] = {"question": "What?", "model": run, **changes}
        question = str(options.pop("question"))
        with pytest.raises(kind) as caught:
            infer(files / name, question, **options)
        assert message in str(caught.value)
        assert "\n" not in str(caught.value)
    assert len(BAD) == 16


def test_the_default_model_is_that_of_the_environment(
    files: Path, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AVATAR_MODEL", run)
    given = infer(files / "still.png", "What?", model=run)
    assert infer(files / "still.png", "What?").text == given.text


def test_kinds_by_suffix() -> None:
    expected = {
        "a.MP4": "video",
        "a.JPG": "image",
        "a.wav": "audio",
        "a": "video",
        "a.txt": "video",
    }
    assert {name: kind_of(Path(name)) for name in expected} == expected
