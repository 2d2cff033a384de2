"""Sizes: what torchvision makes of a frame, bit by bit, without torch."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from torchvision.transforms import InterpolationMode
from torchvision.transforms.functional import resize

from avatar_core.media.plan import FrameSize
from avatar_core.media.resize import axis, resize_frame


def of_torchvision(frame: np.ndarray, size: FrameSize) -> np.ndarray:
    picture = torch.tensor(frame).permute(2, 0, 1)
    made = resize(picture, list(size), InterpolationMode.BICUBIC, antialias=True)
    pixels: np.ndarray = made.permute(1, 2, 0).numpy()
    return pixels


def noise(draw: np.random.Generator, height: int, width: int) -> np.ndarray:
    return draw.integers(0, 256, (height, width, 3)).astype(np.uint8)


def black_and_white(draw: np.random.Generator, height: int, width: int) -> np.ndarray:
    return np.repeat(255 * draw.integers(0, 2, (height, width, 1)), 3, axis=2).astype(np.uint8)


def ramp(draw: np.random.Generator, height: int, width: int) -> np.ndarray:
    line = draw.integers(0, 4) + np.arange(width) * 255 // width
    return np.repeat((line + np.arange(height)[:, None])[..., None], 3, axis=2).astype(np.uint8)


SIZES = [
    # From, to: films, sizes enlarged and reduced by whole factors, where many values lie exactly
    # between two levels, single lines and columns, and only one side changed.
    ((720, 1280), (168, 280)),
    ((360, 640), (168, 280)),
    ((1080, 608), (280, 140)),
    ((28, 28), (56, 56)),
    ((112, 168), (56, 84)),
    ((224, 224), (56, 56)),
    ((30, 44), (56, 84)),
    ((1, 9), (28, 252)),
    ((300, 1), (252, 28)),
    ((84, 333), (84, 196)),
    ((333, 84), (196, 84)),
]


@pytest.mark.parametrize("content", [noise, black_and_white, ramp])
def test_values_equal_those_of_torchvision(content) -> None:
    draw, values = np.random.default_rng(0), 0
    for (height, width), size in SIZES:
        frame = content(draw, height, width)
        made = resize_frame(frame, FrameSize(*size))
        assert np.array_equal(made, of_torchvision(frame, FrameSize(*size))), (height, width, size)
        values += made.size
    # Three colours of the sum of heights times widths above.
    assert values == 3 * sum(height * width for _, (height, width) in SIZES)


def test_values_of_any_size_equal_those_of_torchvision() -> None:
    draw, values = np.random.default_rng(1), 0
    while values < 4_000_000:
        height, width = draw.integers(2, 700, 2)
        size = FrameSize(*(28 * int(side) for side in draw.integers(1, 12, 2)))
        frame = noise(draw, height, width)
        made = resize_frame(frame, size)
        assert np.array_equal(made, of_torchvision(frame, size)), (height, width, size)
        values += made.size


def test_every_value_in_doubt_is_summed_as_torch_sums_it() -> None:
    # Levels 0 and 1 in turns average to a half: all of them are in doubt.
    frame = np.repeat((np.indices((300, 500)).sum(axis=0) % 2)[..., None], 3, axis=2)
    size = FrameSize(140, 252)
    made = resize_frame(frame.astype(np.uint8), size)
    assert np.array_equal(made, of_torchvision(frame.astype(np.uint8), size))
    assert set(np.unique(made)) == {0, 1}


def test_a_frame_of_that_size_is_given_back() -> None:
    frame = np.zeros((28, 56, 3), np.uint8)
    assert resize_frame(frame, FrameSize(28, 56)) is frame


def test_frames_in_any_order_of_memory() -> None:
    frame = noise(np.random.default_rng(2), 60, 90)
    turned = np.rot90(frame)
    made = resize_frame(turned, FrameSize(56, 28))
    assert np.array_equal(made, resize_frame(np.ascontiguousarray(turned), FrameSize(56, 28)))


def test_weights_of_every_output_add_up_to_one() -> None:
    pairs = [(720, 168), (28, 56), (1, 28), (480, 224)]
    for inputs, outputs in pairs:
        weights = axis(inputs, outputs).weights
        assert weights.shape[0] == outputs
        # Twenty sums of float32 and a division.
        assert np.abs(weights.sum(axis=1, dtype=np.float64) - 1).max() < 40 * 2**-24
    # The first output lies at 1/4, the inputs at 1/2, 3/2 and so on: Keys' cubic at 1/4 and 5/4 is
    # 111/128 and -9/128, together 102 parts of 128, and nothing lies on the other side.
    assert axis(28, 56).weights[0, :3] * 102 == pytest.approx([111, -9, 0], abs=1e-4)


def test_no_torch_is_loaded() -> None:
    program = (
        "import sys, numpy as np\n"
        "from avatar_core.media.resize import resize_frame\n"
        "from avatar_core.media.plan import FrameSize\n"
        "resize_frame(np.zeros((60, 80, 3), np.uint8), FrameSize(28, 28))\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
