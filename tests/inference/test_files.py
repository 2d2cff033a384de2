"""Files of a question: their kinds, their windows, how they are read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from avatar_core.config.inference import InferConfig
from avatar_core.config.media import MediaConfig
from avatar_core.errors import UsageError
from avatar_core.inference.files import (
    check_files,
    check_question,
    kind_of,
    media_settings,
    model_of,
    refs_of,
)
from avatar_core.types import MediaRef


def test_media_settings_keep_bounds_in_order() -> None:
    trained = MediaConfig(min_frames=4, max_frames=8, min_pixels=3136, max_pixels=3136, workers=3)
    config = InferConfig(video=Path("x"), question="?", max_frames=2, max_pixels=784, fps=9.0)
    changed = media_settings(config, trained)
    assert (changed.min_frames, changed.max_frames) == (2, 2)
    assert (changed.min_pixels, changed.max_pixels, changed.image_max_pixels) == (784, 784, 784)
    assert (changed.fps, changed.workers) == (9.0, 3)
    assert media_settings(InferConfig(video=Path("x"), question="?"), trained) == trained


def test_kinds_by_suffix() -> None:
    expected = {
        "a.MP4": "video",
        "a.JPG": "image",
        "a.wav": "audio",
        "a": "video",
        "a.txt": "video",
    }
    assert {name: kind_of(Path(name)) for name in expected} == expected


def test_the_window_is_that_of_the_first_file() -> None:
    config = InferConfig(
        video=Path("a.mp4"), question="?", also=(Path("b.png"), Path("c.wav")), start=1.0, end=2.0
    )
    assert refs_of(config) == (
        MediaRef("video", "a.mp4", 1.0, 2.0),
        MediaRef("image", "b.png"),
        MediaRef("audio", "c.wav"),
    )


def test_a_use_of_sound_must_suit_every_file() -> None:
    refused: list[tuple[dict[str, Any], str]] = [
        ({"also": (Path("b.png"),), "audio": "on"}, "--audio on cannot be honoured for an image"),
        ({"also": (Path("b.wav"),), "audio": "off"}, "--audio off cannot be honoured for an audio"),
        ({"start": 3.0, "end": 3.0}, "--end 3 is not after --start 3"),
    ]
    for options, message in refused:
        with pytest.raises(UsageError, match=message):
            check_files(InferConfig(video=Path("a.mp4"), question="?", **options))
    assert len(refused) == 3
    check_files(InferConfig(video=Path("a.mp4"), question="?", also=(Path("b.png"),)))


def test_a_question_is_text() -> None:
    check_question("Was ist größer?")
    # As the system hands over bytes of a command line that are not UTF-8.
    for question, message in (
        (" ", "is empty"),
        (b"gr\xf6\xdfer?".decode("utf-8", "surrogateescape"), "not UTF-8"),
    ):
        with pytest.raises(UsageError, match=message):
            check_question(question)


def test_the_model_is_given_or_that_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    config = InferConfig(video=Path("x"), question="?")
    monkeypatch.delenv("AVATAR_MODEL", raising=False)
    assert model_of(config) == "yogkul2000/AVATAR"
    monkeypatch.setenv("AVATAR_MODEL", "some/run")
    assert model_of(config) == "some/run"
    assert model_of(config.model_copy(update={"model": "tiny"})) == "tiny"


def test_decoding_begins_before_torch_is_loaded() -> None:
    code = (
        "import avatar_core.inference, sys; print({'torch', 'transformers'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
