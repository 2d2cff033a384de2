"""One untrained run and one file of each kind for all tests of inference."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.media.clips import tone, write_clip
from tests.tiny_run import tiny_run


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_run(tmp_path_factory.mktemp("run") / "run"))


@pytest.fixture(scope="session")
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
