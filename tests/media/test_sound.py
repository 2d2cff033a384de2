from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from avatar_core.config.media import MediaConfig
from avatar_core.errors import NoSoundError
from avatar_core.media.decode import decode
from avatar_core.media.probe import open_media
from avatar_core.media.sound import Piece, lay_out, read_sound
from avatar_core.types import MediaRef
from tests.media.clips import tone, write_clip

RATE = 16000


def sound_of(path: Path, start: float | None = None, end: float | None = None, kind: str = "video"):
    clip = decode(MediaRef(kind, str(path), start, end), MediaConfig(), "on")
    assert clip.sound is not None and clip.sample_rate == RATE and clip.sound.dtype == np.float32
    return clip.sound


def clicks(*seconds: float, length: float = 3.0, rate: int = 48000) -> np.ndarray:
    """Bursts of 10 ms that begin at the given times."""
    sound = np.zeros(round(length * rate), np.float32)
    burst = tone(0.01, 2000.0, rate)
    for second in seconds:
        sound[round(second * rate) : round(second * rate) + len(burst)] = burst
    return sound


def onsets(sound: np.ndarray) -> list[float]:
    """Times at which the sound rises above 0.15 after at least 50 ms below it."""
    loud = np.flatnonzero(np.abs(sound) > 0.15) / RATE
    return [float(t) for t, last in zip(loud, [-1.0, *loud[:-1]], strict=True) if t - last > 0.05]


FILES = [("a.mp4", "aac", 48000), ("a.mkv", "aac", 44100), ("a.mkv", "flac", 22050)]
FILES += [("a.ts", "aac", 48000), ("a.webm", "libopus", 48000), ("a.avi", "pcm_s16le", 44100)]


@pytest.mark.parametrize(("name", "codec", "rate"), FILES)
def test_frequency_and_amplitude_of_a_tone(tmp_path, name, codec, rate):
    picture = {".webm": "libvpx", ".avi": "mpeg4"}.get(name[1:], "libx264")
    path = write_clip(
        tmp_path / name,
        frames=30,
        codec=picture,
        sound=tone(3, 440.0, rate),
        sound_rate=rate,
        sound_codec=codec,
    )
    middle = sound_of(path)[RATE // 2 : RATE // 2 + 2 * RATE]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    # Two seconds give bins of 0.5 Hz.
    assert abs(int(spectrum.argmax()) / 2 - 440.0) <= 0.5
    # A sine of amplitude 0.5 has a root mean square of 0.5 / sqrt 2.
    assert np.sqrt((middle**2).mean()) == pytest.approx(0.5 / np.sqrt(2), rel=0.02)


@pytest.mark.parametrize(("name", "codec", "rate"), FILES)
def test_clicks_are_on_time(tmp_path, name, codec, rate):
    picture = {".webm": "libvpx", ".avi": "mpeg4"}.get(name[1:], "libx264")
    sound = clicks(0.5, 1.25, 2.5, rate=rate)
    path = write_clip(
        tmp_path / name, frames=30, codec=picture, sound=sound, sound_rate=rate, sound_codec=codec
    )
    assert onsets(sound_of(path)) == pytest.approx([0.5, 1.25, 2.5], abs=0.02)
    assert onsets(sound_of(path, 1.0, 2.6)) == pytest.approx([0.25, 1.5], abs=0.02)
    assert len(sound_of(path, 1.0, 2.6)) == round(1.6 * RATE)


def test_channels_are_averaged(tmp_path):
    left = tone(2)
    path = write_clip(
        tmp_path / "a.mkv", sound=np.stack([left, 0 * left]), layout="stereo", sound_codec="flac"
    )
    # One channel of amplitude 0.5 and one of silence average to 0.25.
    assert np.abs(sound_of(path)[RATE // 2 : RATE]).max() == pytest.approx(0.25, rel=0.02)


def test_sound_is_cut_or_padded_to_the_video(tmp_path):
    long = write_clip(tmp_path / "long.mp4", frames=20, sound=tone(3))
    assert len(sound_of(long)) == 2 * RATE
    short = write_clip(tmp_path / "short.mp4", frames=20, sound=tone(1))
    padded = sound_of(short)
    # AAC may ring for one block behind the end.
    assert len(padded) == 2 * RATE and np.abs(padded[round(1.05 * RATE) :]).max() < 1e-3
    assert np.abs(padded[: round(0.9 * RATE)]).max() > 0.4
    assert len(sound_of(short, 0.5, 99.0)) == round(1.5 * RATE)


def test_sound_begins_with_the_first_frame(tmp_path):
    sound = clicks(1.0, 2.0)
    path = write_clip(tmp_path / "late.mp4", frames=20, stamps=list(range(5, 25)), sound=sound)
    # The first frame is shown at 0.5 s, and sample 0 lies there too; 20 frames last 2 s.
    assert onsets(sound_of(path)) == pytest.approx([0.5, 1.5], abs=0.02)
    assert len(sound_of(path)) == 2 * RATE


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_late_window_has_the_clicks_of_the_whole(tmp_path, suffix):
    sound = clicks(2.0, 7.5, 8.25, 11.0, length=12.0)
    path = write_clip(tmp_path / f"long{suffix}", frames=120, sound=sound)
    whole = onsets(sound_of(path))
    late = onsets(sound_of(path, 7.3, 9.0))
    # The window is reached by a seek; Matroska rounds the stamp it lands on to a millisecond.
    assert [time + 7.3 for time in late] == pytest.approx(whole[1:3], abs=0.001)
    assert (len(whole), len(late)) == (4, 2)


def test_a_window_behind_the_end_of_the_sound_is_silent(tmp_path):
    path = write_clip(tmp_path / "short.mp4", frames=120, sound=tone(1))
    silence = sound_of(path, 8.0, 9.0)
    assert len(silence) == RATE and not silence.any()


def test_sound_files_are_read_whole_or_in_part(tmp_path):
    for name, codec in (
        ("a.m4a", "aac"),
        ("a.wav", "pcm_s16le"),
        ("a.mp3", "libmp3lame"),
        ("a.flac", "flac"),
    ):
        path = write_clip(tmp_path / name, frames=0, sound=clicks(0.5, 2.0), sound_codec=codec)
        whole = sound_of(path, kind="audio")
        assert onsets(whole) == pytest.approx([0.5, 2.0], abs=0.02), name
        assert len(whole) / RATE == pytest.approx(3.0, abs=0.03), name
        assert onsets(sound_of(path, 1.5, 2.5, kind="audio")) == pytest.approx([0.5], abs=0.02), (
            name
        )
        assert len(sound_of(path, 1.5, 2.5, kind="audio")) == RATE, name
    assert name == "a.flac"


def test_a_video_without_sound(tmp_path):
    ref = MediaRef("video", str(write_clip(tmp_path / "a.mp4")))
    with pytest.raises(NoSoundError, match="no sound track; use --audio auto"):
        decode(ref, MediaConfig(), "on")
    assert decode(ref, MediaConfig(), "auto").sound is None


def test_sound_decoded_on_the_way_is_that_of_a_fresh_open(tmp_path):
    cases = 0
    for name, codec, rate in FILES:
        picture = {".webm": "libvpx", ".avi": "mpeg4"}.get(name[1:], "libx264")
        path = write_clip(
            tmp_path / f"{cases}{name}",
            frames=30,
            codec=picture,
            sound=clicks(0.5, 1.25, 2.5, rate=rate),
            sound_rate=rate,
            sound_codec=codec,
        )
        for start, end in ((None, None), (0.7, 2.1)):
            with open_media(str(path)) as container:
                fresh = read_sound(container, start or 0.0, end or 3.0)
            assert np.array_equal(sound_of(path, start, end), fresh)
            cases += 1
    assert cases == 2 * len(FILES)


def test_pieces_lie_at_their_times_and_gaps_are_silent():
    ones = np.ones(RATE // 10, np.float32)
    # 5 ms late is rounding, so the second follows the first; the third begins 0.2 s later, the
    # fourth has no time of its own, the last lies behind the window.
    pieces = [Piece(0.0, ones), Piece(0.105, 2 * ones), Piece(0.4, 3 * ones), Piece(None, 4 * ones)]
    pieces.append(Piece(2.0, 5 * ones))
    sound = lay_out(pieces, 0.05, 1.05)
    assert len(sound) == RATE
    runs = [(0.0, 1), (0.05, 2), (0.15, 0), (0.35, 3), (0.45, 4), (0.55, 0)]
    for (begin, level), (end, _) in zip(runs, [*runs[1:], (1.0, 0)], strict=True):
        assert set(sound[round(begin * RATE) : round(end * RATE)]) == {level}
    assert len(lay_out([], 1.0, 1.5)) == RATE // 2 and len(lay_out([], 1.0, None)) == 0
