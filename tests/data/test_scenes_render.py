"""Pixels, samples and files of scenes whose look is known in advance."""

from __future__ import annotations

import io
from pathlib import Path

import av
import numpy as np

from avatar_core.data.scenes import Scene, Thing, encode_clip, make_scene
from avatar_core.data.scenes.render import clip_name, render_frames, render_sound, write_clip


def test_square_is_where_and_what_it_should_be() -> None:
    thing = Thing("red", "square", cell=1, flash=2, size=24)
    frames = render_frames(Scene((thing,), (None,) * 4, background=20))
    assert frames.shape == (8, 56, 56, 3)
    assert frames.dtype == np.uint8
    # Centre of cell 1 is (14, 42), so the square covers rows 2 to 25 and columns 30 to 53.
    inside = np.zeros((56, 56), bool)
    inside[2:26, 30:54] = True
    assert (frames[:, ~inside] == 20).all()
    assert (frames[[0, 1, 2, 3, 6, 7]][:, inside] == (230, 30, 30)).all()
    assert (frames[4:6][:, inside] == 255).all()


def test_object_is_absent_before_its_slot() -> None:
    thing = Thing("blue", "circle", cell=0, appears=3)
    frames = render_frames(Scene((thing,), (None,) * 4, background=20))
    assert (frames[:6] == 20).all()
    assert (frames[6:] != 20).any((1, 2, 3)).all()


def test_mover_rests_in_its_cells_and_crosses_evenly() -> None:
    thing = Thing("green", "square", cell=2, motion="up", size=24)
    frames = render_frames(Scene((thing,), (None,) * 4, background=0))
    rows = np.arange(56) + 0.5
    weight = frames[..., 1].sum(2).astype(float)
    centres = (weight * rows).sum(1) / weight.sum(1)
    # From row 42 to row 14 in five equal steps of 5.6 between frames 1 and 6.
    expected = [42, 42, 36.4, 30.8, 25.2, 19.6, 14, 14]
    assert np.abs(centres - expected).max() < 0.05


def test_sound_is_silent_but_for_its_tones() -> None:
    sound = render_sound(Scene((), (None, "high", None, "low"), delay_ms=120, loudness=50))
    assert sound.shape == (32000,)
    assert sound.dtype == np.float32
    # Tones start 120 ms into slots 1 and 3 and last 200 ms: samples 9920 and 25920, 3200 each.
    quiet = np.ones(32000, bool)
    quiet[9920:13120] = quiet[25920:29120] = False
    assert (sound[quiet] == 0).all()
    assert 0.49 < np.abs(sound[9920:13120]).max() <= 0.5
    assert 0.49 < np.abs(sound[25920:29120]).max() <= 0.5


def test_file_has_eight_frames_and_two_seconds_of_sound_even_when_silent() -> None:
    data = encode_clip(Scene((), (None,) * 4))
    with av.open(io.BytesIO(data), "r") as container:
        assert container.streams.video[0].codec_context.name == "h264"
        assert container.streams.audio[0].codec_context.name == "aac"
        times = [frame.time for frame in container.decode(video=0)]
    assert times == [index / 4 for index in range(8)]
    with av.open(io.BytesIO(data), "r") as container:
        frames = list(container.decode(audio=0))
    assert {frame.sample_rate for frame in frames} == {16000}
    # AAC pads the end to a whole frame of 1024 samples.
    assert 32000 <= sum(frame.samples for frame in frames) < 32000 + 1024
    assert max(np.abs(frame.to_ndarray()).max() for frame in frames) < 1e-4


def test_equal_scenes_give_equal_files_and_names() -> None:
    cases = 0
    for index in range(10):
        scene = make_scene(0, "train", index, 0).scene
        again = make_scene(0, "train", index, 0).scene
        assert encode_clip(scene) == encode_clip(again)
        assert clip_name(scene) == clip_name(again)
        cases += 1
    assert cases == 10


def test_names_differ_where_anything_drawn_differs() -> None:
    plain = Scene((Thing("red", "circle", 0),), (None,) * 4)
    others = [
        Scene((Thing("red", "circle", 0, size=22),), (None,) * 4),
        Scene((Thing("red", "circle", 0),), (None,) * 4, background=36),
        Scene((Thing("red", "circle", 0),), (None, None, None, "low")),
    ]
    assert len({clip_name(scene) for scene in (plain, *others)}) == 4


def test_existing_clip_is_left_alone(tmp_path: Path) -> None:
    scene = Scene((Thing("red", "circle", 0),), (None,) * 4)
    path = tmp_path / clip_name(scene)
    path.write_bytes(b"kept")
    assert write_clip(tmp_path, scene) == path
    assert path.read_bytes() == b"kept"
