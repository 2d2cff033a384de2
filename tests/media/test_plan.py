from __future__ import annotations

import itertools
import math
import random

import pytest
import torch
from qwen_omni_utils.v2_5 import vision_process

from avatar_core.config.media import MediaConfig
from avatar_core.media.plan import (
    FrameWindow,
    fit_size,
    frame_count,
    frame_window,
    plan_frames,
    spread,
    timed_window,
    video_size,
)


def test_spread_equals_the_float32_linspace_of_torch():
    rng = random.Random(0)
    cases = 0
    for _ in range(4000):
        first = rng.randrange(0, 10 ** rng.randrange(1, 7))
        last = first + rng.randrange(1, 10 ** rng.randrange(1, 7))
        count = rng.randrange(2, min(last - first + 1, 768) + 1)
        expected = torch.linspace(first, last, count).round().long().tolist()
        assert list(spread(FrameWindow(first, last), count)) == expected, (first, last, count)
        cases += 1
    assert cases == 4000


def test_window_count_and_fps_equal_the_family_rules():
    rng = random.Random(1)
    planned = refused = 0
    for _ in range(3000):
        total, fps = (
            rng.randrange(1, 900),
            rng.choice([5.0, 10.0, 24.0, 25.0, 30000 / 1001, 30.0, 60.0]),
        )
        start = rng.choice([None, rng.uniform(-1, 20)])
        end = rng.choice([None, rng.uniform(0, 40)])
        config = MediaConfig(
            fps=rng.choice([0.5, 1.0, 2.0, 7.5]),
            min_frames=rng.choice([2, 3, 4, 8]),
            max_frames=rng.choice([8, 15, 16, 64]),
        )
        request = {
            "fps": config.fps,
            "min_frames": config.min_frames,
            "max_frames": config.max_frames,
        }
        request |= {k: v for k, v in (("video_start", start), ("video_end", end)) if v is not None}
        try:
            first, last, length = vision_process.calculate_video_frame_range(request, total, fps)
            count = vision_process.smart_nframes(request, length, fps)
        except ValueError:
            with pytest.raises(ValueError, match="fewer than 2 frames"):
                plan_frames(frame_window(total, fps, start, end), fps, config)
            refused += 1
            continue
        plan = plan_frames(frame_window(total, fps, start, end), fps, config)
        assert list(plan.indices) == torch.linspace(first, last, count).round().long().tolist()
        assert plan.fps == count / length * fps
        planned += 1
    assert planned > 1500 and refused > 100 and planned + refused == 3000


def test_sizes_equal_smart_resize():
    cases = refused = 0
    sides = [1, 20, 28, 56, 57, 100, 224, 360, 480, 720, 1080, 2160, 4000]
    for height, width, low, high in itertools.product(
        sides, sides, [784, 3136], [3136, 50176, 401408]
    ):
        if max(height, width) > 200 * min(height, width):
            with pytest.raises(ValueError, match="too narrow"):
                fit_size(height, width, low, high)
            refused += 1
            continue
        expected = vision_process.smart_resize(height, width, 28, min_pixels=low, max_pixels=high)
        if 0 in expected:
            with pytest.raises(ValueError, match="does not fit"):
                fit_size(height, width, low, high)
            refused += 1
            continue
        assert tuple(fit_size(height, width, low, high)) == expected
        cases += 1
    assert cases + refused == len(sides) ** 2 * 6 and cases == 750


def test_video_size_keeps_the_ceilings_of_the_family():
    # 768 frames share 128,000 x 784 x 0.9 pixels, in pairs: 235,200 each, so 1080 x 1920 becomes
    # floor(1080 / sqrt(2073600 / 235200) / 28) = 12 by floor(1920 / ... / 28) = 23 patches.
    config = MediaConfig(max_pixels=10**7)
    shrink = math.sqrt(1080 * 1920 / (128000 * 784 * 0.9 / 768 * 2))
    assert tuple(video_size(1080, 1920, 768, config)) == (
        int(1080 / shrink // 28 * 28),
        int(1920 / shrink // 28 * 28),
    )
    # Few frames: 768 x 784 = 602,112 pixels each.
    size = video_size(1080, 1920, 4, config)
    assert size.height * size.width <= 602112 and tuple(size) == (560, 1008)


def test_timed_window_takes_the_frames_shown_inside():
    times = [0.0, 0.1, 0.2, 0.25, 0.7, 0.9]
    assert timed_window(times, None, None) == (0, 5)
    assert timed_window(times, 0.2, 0.7) == (2, 4)
    assert timed_window(times, 0.21, None) == (3, 5)
    with pytest.raises(ValueError, match=r"between 0\.3 s and 0\.8 s"):
        timed_window(times, 0.3, 0.8)


def test_a_video_of_one_frame_is_too_short():
    with pytest.raises(ValueError, match="fewer than 2 frames; a video needs"):
        frame_window(1, 10.0, None, None)
    with pytest.raises(ValueError, match="fewer than 2"):
        frame_count(1, 10.0, MediaConfig())
