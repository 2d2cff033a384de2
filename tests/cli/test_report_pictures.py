from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from avatar_cli.report_pictures import strip_of, strips_of
from avatar_core.config.resolve import resolve_train
from avatar_core.errors import DataError, MediaError, UsageError
from avatar_core.files import JsonlAppender, write_json
from avatar_core.reporting.html.views import STRIP
from avatar_core.reporting.records_io import RunRecords, load_run
from avatar_core.types import Clip, MediaRef


def clip(frames: np.ndarray | None) -> Clip:
    times = tuple(float(place) for place in range(0 if frames is None else len(frames)))
    return Clip(MediaRef("video", "x"), frames, times, 1.0, None, 16000, "av", "0")


def run_on(folder: Path, data: str) -> RunRecords:
    config = resolve_train(stage=1, flags={"data": data, "out": str(folder)})
    write_json(folder / "config.json", config.model_dump(mode="json"))
    return load_run(folder)


def pictures(folder: Path, names: list[str]) -> Path:
    """A data file of one picture per question; an empty picture cannot be read."""
    with JsonlAppender(folder / "data.jsonl") as log:
        for name in names:
            if name.startswith("bad"):
                (folder / f"{name}.png").write_bytes(b"no picture")
            else:
                Image.new("RGB", (90, 60), (200, 30, 30)).save(folder / f"{name}.png")
            row = {"id": name, "question": "Which?", "solution": "red", "images": [f"{name}.png"]}
            log.append({**row, "problem_type": "free-form"})
    return folder / "data.jsonl"


def test_a_strip_shows_first_middle_and_last_frame() -> None:
    frames = np.zeros((5, 40, 80, 3), dtype=np.uint8)
    for place, colour in ((0, (255, 0, 0)), (2, (0, 255, 0)), (4, (0, 0, 255))):
        frames[place] = colour
    picture = Image.open(io.BytesIO(strip_of(clip(frames))))
    assert (picture.format, picture.size) == ("JPEG", STRIP)
    width, height = STRIP
    pixels = np.asarray(picture)[height // 2, [33, width // 2, width - 33]]
    assert pixels.argmax(axis=1).tolist() == [0, 1, 2]
    with pytest.raises(MediaError, match="no frames"):
        strip_of(clip(None))


def test_prompts_of_a_data_file_have_strips_within_a_budget(tmp_path: Path) -> None:
    records = run_on(tmp_path / "run", str(pictures(tmp_path, ["a", "b", "bad"])))
    found = strips_of(records, ["a", "bad", "unknown", "b"], 1_000_000)
    assert list(found) == ["a", "b"]
    assert list(strips_of(records, ["b", "a"], len(found["b"]))) == ["b"]
    assert strips_of(records, ["a"], 0) == {} == strips_of(records, [], 1_000_000)


def test_scenes_are_drawn_for_the_prompts_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AVATAR_CACHE", str(tmp_path / "cache"))
    records = run_on(tmp_path / "run", "scenes")
    names = ["scenes/train/0/1/3", "scenes/train/0/1/70", "no scene"]
    assert list(strips_of(records, names, 1_000_000)) == names[:2]


def test_a_run_without_its_data_says_why(tmp_path: Path) -> None:
    records = run_on(tmp_path / "run", str(pictures(tmp_path, ["a"])))
    (tmp_path / "data.jsonl").unlink()
    with pytest.raises(UsageError, match="no such file"):
        strips_of(records, ["a"], 1000)
    (tmp_path / "data.jsonl").write_text("{}\n")
    with pytest.raises(DataError):
        strips_of(records, ["a"], 1000)
