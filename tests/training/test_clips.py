from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path

import pytest

from avatar_core.config.media import MediaConfig
from avatar_core.errors import DataError
from avatar_core.media import pool
from avatar_core.training import clips
from avatar_core.training.clips import check_clips
from avatar_core.types import MediaRef, Sample
from tests.media.clips import tone, write_clip


@pytest.fixture
def silent(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "silent.mp4")


def check(paths: list[Path], **settings: object) -> list[str]:
    """Check the videos of one row each; returns what was said."""
    samples = [
        Sample(str(number), "Which?", (MediaRef("video", str(path)),), "2", "numerical")
        for number, path in enumerate(paths)
    ]
    places = {sample.id: f"rows.jsonl:{number}" for number, sample in enumerate(samples, start=1)}
    said: list[str] = []
    check_clips(samples, places, MediaConfig.model_validate(settings), said.append)
    return said


def test_distinct_files_are_opened_once_and_counted(
    silent: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clips, "BATCH", 2)
    more = [Path(shutil.copy(silent, tmp_path / f"{number}.mp4")) for number in range(4)]
    assert check([silent, *more, silent, silent], workers=2) == [
        "checking 5 media files",
        "2 of 5 media files are sound",
        "4 of 5 media files are sound",
    ]
    assert check([]) == []


def test_what_is_no_video_names_its_first_row(silent: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.mp4"
    text.write_text("no film at all\n" * 50, "utf-8")
    sound = write_clip(tmp_path / "sound.mp4", frames=0, sound=tone(1))
    for bad, reason in ((text, "is damaged or not a media file"), (sound, "has no video stream")):
        with pytest.raises(DataError, match=rf"^rows.jsonl:2: .*{bad.name}: {reason}") as caught:
            check([silent, bad, bad])
        assert caught.value.exit_code == 2


def test_all_that_cannot_be_read_is_listed_up_to_a_limit(
    silent: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clips, "BATCH", 2)
    monkeypatch.setattr(clips, "LISTED", 2)
    for name in ("a.mp4", "b.mp4", "c.mp4"):
        (tmp_path / name).write_text("no film at all\n" * 50, "utf-8")
    bad = [tmp_path / name for name in ("a.mp4", "b.mp4", "c.mp4")]
    with pytest.raises(DataError) as caught:
        check([silent, bad[0], bad[1], silent, bad[2], bad[0]])
    said, _, below = str(caught.value).partition("\n\n")
    assert said == "3 of 4 media files cannot be used"
    # Row 4 names the first file again, so that the third bad one, unlisted, is in row 5.
    first, second, more = below.splitlines()
    assert first.startswith("rows.jsonl:2: ") and "a.mp4: is damaged" in first
    assert second.startswith("rows.jsonl:3: ") and "b.mp4: is damaged" in second
    assert more == "and 1 more"
    with pytest.raises(DataError) as caught:
        check([silent, *bad[:2]])
    assert str(caught.value).splitlines()[2:] == [first, second]


def test_silence_is_refused_only_where_sound_is_required(silent: Path, tmp_path: Path) -> None:
    sounding = write_clip(tmp_path / "sounding.mp4", sound=tone(2))
    for audio in ("auto", "off"):
        check([sounding, silent], audio=audio)
    with pytest.raises(DataError, match=r"rows.jsonl:2: .*silent.mp4: has no sound track; use --a"):
        check([sounding, silent], audio="on")


def test_a_file_that_hangs_a_decoder_is_refused_at_its_deadline(
    silent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "WORKER_COMMAND", (sys.executable, "-m", "tests.media.faulty_worker"))
    spinning = silent.rename(silent.with_name("spin.mp4"))
    began = time.monotonic()
    with pytest.raises(DataError, match=r"rows.jsonl:1: .*spin.mp4: took longer than 0.5 s"):
        check([spinning], deadline_seconds=0.5)
    assert time.monotonic() - began < 30
