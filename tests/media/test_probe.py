from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from avatar_core.config.media import MediaConfig
from avatar_core.errors import MediaError
from avatar_core.media.decode import decode
from avatar_core.media.probe import probe
from avatar_core.types import MediaRef
from tests.media.clips import tone, write_clip


def test_facts_of_a_file(tmp_path):
    path = write_clip(tmp_path / "clip.mp4", frames=20, size=(56, 112), sound=tone(2), rotation=90)
    facts = probe(str(path), MediaConfig())
    assert facts.has_sound
    # AAC ends with a whole block of 1024 samples: at most 21.3 ms more than 2 s.
    assert 2.0 <= facts.duration < 2.022
    assert facts.timeline is not None and facts.timeline.fps == 10.0
    assert facts.timeline.times == tuple(index / 10 for index in range(20))
    assert facts.timeline.is_even and facts.timeline.starts_at_zero and facts.timeline.hidden == 0
    assert (facts.timeline.end, facts.timeline.seconds) == (2.0, 2.0)


def test_facts_of_sound_and_of_silence(tmp_path):
    sound = probe(str(write_clip(tmp_path / "a.m4a", frames=0, sound=tone(1))), MediaConfig())
    assert (sound.timeline, sound.has_sound) == (None, True)
    silent = probe(str(write_clip(tmp_path / "b.mp4")), MediaConfig())
    assert silent.timeline is not None and not silent.has_sound


@pytest.mark.parametrize(
    ("limit", "reason"),
    [
        ({"max_file_bytes": 1000}, "more than max_file_bytes = 1000"),
        ({"max_seconds": 1.5}, "longer than max_seconds = 1.5"),
        ({"max_side": 55}, "56 x 56, beyond max_side = 55"),
        ({"max_streams": 1}, "2 streams, more than max_streams = 1"),
    ],
)
def test_limits_are_checked_before_decoding(tmp_path, limit, reason):
    path = str(write_clip(tmp_path / "clip.mp4", sound=tone(2)))
    with pytest.raises(MediaError, match=reason):
        probe(path, MediaConfig(**limit))


def playlist(folder: Path) -> bytes:
    entry = f"#EXTINF:2,\n{folder}/outside.ts\n"
    return f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n{entry}#EXT-X-ENDLIST\n".encode()


def concat(folder: Path) -> bytes:
    return f"ffconcat version 1.0\nfile '{folder}/outside.ts'\n".encode()


def dash(folder: Path) -> bytes:
    text = '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period>'
    return f"{text}<BaseURL>{folder}/outside.ts</BaseURL></Period></MPD>".encode()


def test_files_that_name_other_files_are_refused(tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    write_clip(tmp_path / "outside.ts")
    refused = 0
    for text in (playlist, concat, dash):
        for name in ("a.mp4", "a.m3u8", "a.ffconcat", "a.mkv"):
            path = inside / name
            path.write_bytes(text(tmp_path))
            with pytest.raises(MediaError):
                decode(MediaRef("video", str(path)), MediaConfig(), "auto")
            refused += 1
    assert refused == 12


@pytest.mark.parametrize("prefix", ["concat:", "subfile:,,start,0,end,0,,:", "http://127.0.0.1/"])
def test_a_path_is_never_an_address(tmp_path, prefix):
    path = write_clip(tmp_path / "clip.mp4")
    with pytest.raises(MediaError, match="cannot be opened"):
        decode(MediaRef("video", f"{prefix}{path}"), MediaConfig(), "auto")


def test_broken_files_are_refused_with_their_name(tmp_path):
    whole = {
        suffix: write_clip(tmp_path / f"whole{suffix}", frames=60, codec=codec).read_bytes()
        for suffix, codec in ((".mp4", "libx264"), (".webm", "libvpx-vp9"), (".avi", "mpeg4"))
    }
    contents = {
        "empty.mp4": b"",
        "text.mp4": b"hello " * 999,
        "page.mp4": b"<html><body>404</body></html>",
    }
    contents |= {
        f"cut{part}{suffix}": data[: len(data) * part // 10]
        for suffix, data in whole.items()
        for part in (1, 3, 6, 8)
    }
    for name, data in contents.items():
        path = tmp_path / name
        path.write_bytes(data)
        with pytest.raises(MediaError) as caught:
            decode(MediaRef("video", str(path)), MediaConfig(), "auto")
        assert str(path) in str(caught.value) and caught.value.reason, name
        assert "hello" not in caught.value.reason
    assert len(contents) == 15


def test_a_stream_of_an_unknown_codec_is_an_error_not_a_missing_modality(tmp_path):
    whole = write_clip(tmp_path / "whole.mp4", sound=tone(2)).read_bytes()
    # The tag of a sample description is the last of its name in the header; for sound the
    # descriptor behind it names the codec once more, five bytes into the part that starts with 4.
    object_type = whole.index(b"\x04\x80\x80\x80", whole.index(b"esds")) + 5
    for part, places in (
        ("picture", [whole.rindex(b"avc1")]),
        ("sound", [whole.rindex(b"mp4a"), object_type]),
    ):
        data = bytearray(whole)
        for place in places:
            data[place] = 2
        path = tmp_path / f"{part}.mp4"
        path.write_bytes(data)
        with pytest.raises(MediaError, match=f"has a {part} of an unknown codec"):
            decode(MediaRef("video", str(path)), MediaConfig(), "auto")


def test_what_is_not_a_regular_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    for path in (tmp_path, tmp_path / "pipe.mp4", Path("/dev/zero")):
        with pytest.raises(MediaError, match="not a regular file"):
            probe(str(path), MediaConfig())
    with pytest.raises(MediaError, match="not a usable path"):
        probe("a\0b.mp4", MediaConfig())


def test_the_kind_must_fit_the_file(tmp_path):
    sound = write_clip(tmp_path / "sound.m4a", frames=0, sound=tone(1))
    silent = write_clip(tmp_path / "silent.mp4")
    image = tmp_path / "image.png"
    Image.fromarray(np.zeros((56, 56, 3), np.uint8)).save(image)
    for kind, path, reason in [
        ("video", sound, "has no video stream"),
        ("audio", silent, "has no sound"),
        ("audio", image, "not of an allowed container"),
        ("video", image, "not of an allowed container"),
        ("image", silent, "is not an image"),
    ]:
        with pytest.raises(MediaError, match=reason):
            decode(MediaRef(kind, str(path)), MediaConfig(), "auto")
