from __future__ import annotations

import numpy as np

from avatar_core.media.cache import ClipCache, clip_bytes
from avatar_core.types import Clip, MediaRef


def clip(size: int, sound: int | None = None) -> Clip:
    frames = np.zeros((1, 1, size, 1), np.uint8)
    samples = None if sound is None else np.zeros(sound, np.float32)
    return Clip(MediaRef("video", "x"), frames, (0.0,), 1.0, samples, 16000, "av", "")


def test_bytes_are_those_of_both_arrays():
    # 10 bytes of frames and 5 samples of 4 bytes.
    assert clip_bytes(clip(10, 5)) == 30 and clip_bytes(clip(10)) == 10


def test_the_least_recently_used_leaves_first():
    cache = ClipCache(100)
    for name in ("a", "b", "c"):
        assert cache.put(name, clip(30))
    assert cache.get("a") is not None
    cache.put("d", clip(30))
    # 120 bytes exceed 100; b is the one not touched since.
    assert [name in cache for name in ("a", "b", "c", "d")] == [True, False, True, True]
    assert cache.used == 90 and len(cache) == 3


def test_a_clip_beyond_the_budget_is_not_kept_and_displaces_nothing():
    cache = ClipCache(50)
    cache.put("a", clip(40))
    assert not cache.put("b", clip(51))
    assert cache.get("b") is None and cache.get("a") is not None


def test_replacing_a_clip_counts_its_bytes_once():
    cache = ClipCache(100)
    cache.put("a", clip(40))
    cache.put("a", clip(60))
    assert (cache.used, len(cache)) == (60, 1)
    cache.clear()
    assert (cache.used, len(cache)) == (0, 0)


def test_a_budget_of_zero_keeps_nothing():
    assert not ClipCache(0).put("a", clip(1))
