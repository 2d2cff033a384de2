"""From a reference to a clip: which parts are read, which windows, which errors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image

from avatar_core.config.media import MediaConfig
from avatar_core.errors import MediaError, NoSoundError
from avatar_core.files import file_digest
from avatar_core.media.decode import decode
from avatar_core.media.sound import Track
from avatar_core.types import MediaKind, MediaRef
from tests.media.clips import frame_number, tone, write_clip

CONFIG = MediaConfig(fps=5.0, min_frames=4, max_frames=64)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of 10 frames each with sound, the same without, the sound alone, a picture."""
    folder = tmp_path_factory.mktemp("files")
    write_clip(folder / "both.mp4", sound=tone(2.0))
    write_clip(folder / "silent.mp4")
    write_clip(folder / "sound.mp4", frames=0, sound=tone(2.0))
    Image.new("RGB", (84, 56), (200, 0, 0)).save(folder / "picture.png")
    return folder


def ref(files: Path, name: str, kind: MediaKind = "video", *window: float | None) -> MediaRef:
    return MediaRef(kind, str(files / name), *window)


def test_a_video_has_frames_and_sound_on_one_clock(files: Path) -> None:
    clip = decode(ref(files, "both.mp4"), CONFIG, "auto")
    assert clip.frames is not None and clip.sound is not None
    # 5 of 10 frames a second: round(i * 19 / 9) for ten frames of two seconds.
    assert [frame_number(frame) for frame in clip.frames] == [0, 2, 4, 6, 8, 11, 13, 15, 17, 19]
    assert (len(clip.sound), clip.sample_rate, clip.fps) == (32_000, 16_000, 5.0)
    assert clip.content_hash == file_digest(files / "both.mp4", "blake2b")


def test_a_window_cuts_both(files: Path) -> None:
    clip = decode(ref(files, "both.mp4", "video", 0.5, 1.5), CONFIG, "auto")
    assert clip.frames is not None and clip.sound is not None
    # Frames 5 to 15 are eleven: 11 / 10 * 5 = 5.5, made even 4: round(5 + i * 10 / 3).
    assert [frame_number(frame) for frame in clip.frames] == [5, 8, 12, 15]
    assert len(clip.sound) == 16_000


def test_sound_follows_the_mode(files: Path) -> None:
    assert decode(ref(files, "both.mp4"), CONFIG, "on").sound is not None
    assert decode(ref(files, "both.mp4"), CONFIG, "off").sound is None
    assert decode(ref(files, "silent.mp4"), CONFIG, "auto").sound is None
    with pytest.raises(NoSoundError, match="use --audio auto"):
        decode(ref(files, "silent.mp4"), CONFIG, "on")


def test_sound_alone_and_its_window(files: Path) -> None:
    clip = decode(ref(files, "sound.mp4", "audio", 0.5, 1.0), CONFIG, "off")
    assert clip.frames is None and clip.sound is not None
    assert (len(clip.sound), clip.times, clip.reader) == (8_000, (), "av")
    # The track of a film may be asked for too.
    whole = decode(ref(files, "both.mp4", "audio"), CONFIG, "auto")
    assert whole.frames is None and whole.sound is not None


def test_a_picture_is_one_frame(files: Path) -> None:
    clip = decode(ref(files, "picture.png", "image"), CONFIG, "on")
    assert clip.frames is not None and clip.sound is None
    assert (clip.frames.shape, clip.times, clip.reader) == ((1, 56, 84, 3), (0.0,), "image")


@pytest.mark.parametrize(
    ("name", "kind", "window", "error", "message"),
    [
        ("sound.mp4", "video", (), MediaError, "has no video stream; read it as audio"),
        ("silent.mp4", "audio", (), NoSoundError, "has no sound; give a file with a sound track"),
        ("sound.mp4", "audio", (5.0, 6.0), MediaError, "no sound between start and end"),
        ("gone.mp4", "video", (), MediaError, "cannot be opened"),
    ],
)
def test_what_is_not_there_is_said(
    files: Path,
    name: str,
    kind: MediaKind,
    window: tuple[float, ...],
    error: type[MediaError],
    message: str,
) -> None:
    with pytest.raises(error, match=message) as caught:
        decode(ref(files, name, kind, *window), CONFIG, "auto")
    assert type(caught.value) is error
    assert caught.value.path == str(files / name)


def test_frames_are_brought_to_the_size_that_the_settings_allow(files: Path) -> None:
    # 28 x 28 is the one size of at most 800 pixels with sides of multiples of 28.
    config = CONFIG.model_copy(update={"min_pixels": 784, "max_pixels": 800})
    clip = decode(ref(files, "both.mp4"), config, "off")
    assert clip.frames is not None
    assert clip.frames.shape == (10, 28, 28, 3)


def opens(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Paths of the containers that are opened from now on."""
    opened: list[str] = []
    original = av.open

    def counted(file: str, *rest: Any, **options: Any) -> Any:
        opened.append(file)
        return original(file, *rest, **options)

    monkeypatch.setattr(av, "open", counted)
    return opened


def test_sound_and_frames_come_from_one_open_of_the_file(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = write_clip(tmp_path / "long.mp4", frames=100, sound=tone(10.0))
    matroska = write_clip(tmp_path / "both.mkv", sound=tone(2.0))
    # Neither has an index by which the first frame is found again.
    stream = write_clip(tmp_path / "both.ts", sound=tone(2.0))
    old = write_clip(tmp_path / "both.avi", codec="mpeg4", sound=tone(2.0), sound_codec="pcm_s16le")
    opened = opens(monkeypatch)
    asked: list[tuple[MediaRef, int]] = [
        (ref(files, "both.mp4"), 1),
        (ref(files, "both.mp4", "video", 0.5, 1.5), 1),
        (ref(files, "both.mp4", "audio"), 1),
        (ref(files, "sound.mp4", "audio"), 1),
        (ref(files, "both.mp4", "image", 0.7), 1),
        (MediaRef("video", str(long), 7.0, 9.0), 1),
        (MediaRef("video", str(matroska)), 1),
        (MediaRef("video", str(stream)), 2),
        (MediaRef("video", str(old)), 2),
    ]
    for wanted, count in asked:
        opened.clear()
        decode(wanted, CONFIG, "auto")
        assert opened == [wanted.path] * count, wanted


def test_sound_is_decoded_only_where_it_is_used(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[str] = []
    monkeypatch.setattr(Track, "take", lambda track, packet: taken.append(track.stream.type))
    decode(ref(files, "both.mp4"), CONFIG, "off")
    decode(ref(files, "both.mp4", "image", 0.0), CONFIG, "on")
    assert taken == []
    decode(ref(files, "both.mp4"), CONFIG, "auto")
    assert set(taken) == {"audio"}
