"""Real media files for rows to name, and a writer of data files beside them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.media.clips import tone, write_clip

Write = Callable[..., Path]
ABSENT = object()
"""As a value of a row: the key is left out."""


@pytest.fixture(scope="session")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The bytes of a video with sound, a picture and a sound, by file name."""
    root = tmp_path_factory.mktemp("originals")
    write_clip(root / "clip.mp4", frames=4, sound=tone(0.4))
    write_clip(root / "sound.wav", frames=0, sound=tone(0.2), sound_codec="pcm_s16le")
    Image.new("RGB", (8, 8), "red").save(root / "still.png")
    return {path.name: path.read_bytes() for path in sorted(root.iterdir())}


@pytest.fixture
def root(tmp_path: Path, originals: dict[str, bytes]) -> Path:
    """A directory with one file of each kind."""
    for name, content in originals.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path.resolve()


@pytest.fixture
def write(root: Path) -> Write:
    """Writes rows as JSON Lines beside the media; `ABSENT` leaves a key out."""

    def to_file(*rows: dict[str, Any], name: str = "train.jsonl") -> Path:
        path = root / name
        kept = [{k: v for k, v in row.items() if v is not ABSENT} for row in rows]
        path.write_text("".join(json.dumps(row) + "\n" for row in kept))
        return path

    return to_file
