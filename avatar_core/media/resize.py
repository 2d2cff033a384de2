"""Bicubic resize with antialiasing, equal to torchvision's on uint8 tensors, without torch.

torchvision computes in float32, clamps to 0-255 and rounds. Most pixels come out the same in
whatever order the products are summed, so they are computed by matrix products over blocks of
neighbours. Where that sum lies so close to a half that the order might decide how it is rounded, it
is formed again as torch forms it: first along rows, then along columns, each product added to the
sum in turn. The last one to three products of a sum are added with one rounding, the others with
two, as a compiler makes of the loop on processors that multiply and add at once. On others torch
itself may differ from this by one level in a few of a million values. A worker so does without
torch, whose import takes seconds and 200 MB.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from avatar_core.media.plan import FrameSize

BLOCK = 8
"""Outputs that are computed by one matrix product."""
PART = 1 << 22
"""Products that are summed as torch sums them at a time, to bound the memory."""
FLOAT32_ROUNDING = 2.0**-24
"""Largest relative error of one rounding to float32."""


class Block(NamedTuple):
    """Some outputs of an axis as a matrix product.

    Attributes:
        outputs: which outputs.
        inputs: which inputs they are made of.
        matrix: float32 [outputs, inputs].
    """

    outputs: slice
    inputs: slice
    matrix: np.ndarray


class Axis(NamedTuple):
    """How the outputs along one axis are weighted sums of neighbouring inputs.

    Attributes:
        places: int [outputs, taps], the inputs; repeated where there are fewer.
        weights: float32 [outputs, taps]; zero where there are fewer.
        fused: bool [outputs, taps], products that are added without being rounded first.
        blocks: the same as matrix products, over the values of the pixels.
        gain: largest sum of absolute weights.
    """

    places: np.ndarray
    weights: np.ndarray
    fused: np.ndarray
    blocks: tuple[Block, ...]
    gain: float


def resize_frame(frame: np.ndarray, size: FrameSize) -> np.ndarray:
    """Resize a uint8 RGB frame [height, width, 3]; the frame itself when it has that size."""
    if frame.shape[:2] == tuple(size):
        return frame
    down, across = axis(frame.shape[0], size.height), axis(frame.shape[1], size.width, 3)
    pixels = _quick(frame, down, across)
    doubtful = np.flatnonzero(np.abs(pixels - np.floor(pixels) - 0.5) <= _error(down, across))
    some = max(1, PART // (down.weights.shape[1] * across.weights.shape[1]))
    for first in range(0, len(doubtful), some):
        where = np.unravel_index(doubtful[first : first + some], pixels.shape)
        pixels[where] = _as_torch(frame, down, across, where)
    levels: np.ndarray = np.rint(np.clip(pixels, 0, 255)).astype(np.uint8)
    return levels


@functools.lru_cache(maxsize=64)
def axis(inputs: int, outputs: int, values: int = 1) -> Axis:
    """Weights with which `outputs` pixels are made of `inputs`, in the float32 steps of torch.

    Along the axis a pixel has so many `values`, one behind the other: 3 across, where they are its
    colours.
    """
    scale = np.float32(inputs) / np.float32(outputs)
    wide = max(scale, np.float32(1))
    support, narrowing = np.float32(2) * wide, np.float32(1) / wide
    # Here and below numbers are float32 or float64 where they are in torch.
    centre = (np.float64(scale) * (np.arange(outputs) + 0.5)).astype(np.float32)
    first = np.maximum(((centre - support).astype(np.float64) + 0.5).astype(np.int64), 0)
    end = np.minimum(((centre + support).astype(np.float64) + 0.5).astype(np.int64), inputs)
    taps, count = np.arange((end - first).max()), (end - first)[:, None]
    places = first[:, None] + taps
    away = (places.astype(np.float32) - centre[:, None]).astype(np.float64) + 0.5
    weights = _cubic(np.abs((away * np.float64(narrowing)).astype(np.float32)))
    weights[taps >= count] = 0
    weights /= np.add.accumulate(weights, axis=1)[:, -1:]
    gain = float(np.abs(weights).sum(axis=1, dtype=np.float64).max())
    fused = taps > (count - 1) // 4 * 4
    places = np.minimum(places, inputs - 1)
    return Axis(places, weights, fused, _blocks(places, weights, values), gain)


def _cubic(distance: np.ndarray) -> np.ndarray:
    """Weight of an input (float32) by its distance, of Keys' cubic with a = -1/2."""
    near = _fused(_fused(distance, np.float32(1.5), np.float32(-2.5)) * distance, distance, 1)
    far = _fused(distance - np.float32(5), distance, 8)
    far = _fused(far, distance, -4) * np.float32(-0.5)
    return np.where(distance < 1, near, np.where(distance < 2, far, np.float32(0)))


def _fused(
    factor: np.ndarray, other: np.ndarray | np.float32, summand: np.ndarray | np.float32 | int
) -> np.ndarray:
    """Compute factor * other + summand of float32 values, rounded to float32 once."""
    product = factor.astype(np.float64) * np.asarray(other, np.float64)
    rounded: np.ndarray = (product + np.asarray(summand, np.float64)).astype(np.float32)
    return rounded


def _sums(values: np.ndarray, weights: np.ndarray, fused: np.ndarray) -> np.ndarray:
    """Weighted sums along the last axis in float32, one tap after the other."""
    products = values.astype(np.float64) * weights
    products = np.where(fused, products, products.astype(np.float32))
    total = np.zeros(values.shape[:-1], np.float32)
    for product in np.moveaxis(products, -1, 0):
        total = (product + total).astype(np.float32)
    return total


def _blocks(places: np.ndarray, weights: np.ndarray, values: int) -> tuple[Block, ...]:
    """Runs of `BLOCK` outputs, each with the inputs that any of them is made of."""
    blocks = []
    for begin in range(0, len(places), BLOCK):
        near, taps = places[begin : begin + BLOCK], weights[begin : begin + BLOCK]
        low, high = int(near.min()), int(near.max()) + 1
        matrix = np.zeros((len(near), high - low), np.float32)
        np.add.at(matrix, (np.arange(len(near))[:, None], near - low), taps)
        outputs = slice(values * begin, values * (begin + len(near)))
        inputs = slice(values * low, values * high)
        blocks.append(Block(outputs, inputs, np.kron(matrix, np.eye(values, dtype=np.float32))))
    return tuple(blocks)


def _error(down: Axis, across: Axis) -> float:
    """Bound on how far `_quick` and torch may differ, by the number of roundings of either."""
    roundings = down.weights.shape[1] + across.weights.shape[1] + 4
    difference: float = 2 * roundings * FLOAT32_ROUNDING * 255 * down.gain * across.gain
    return difference


def _quick(frame: np.ndarray, down: Axis, across: Axis) -> np.ndarray:
    """The resized frame as float32 [height, width, 3], before it is clamped, within `_error`."""
    rows = frame.reshape(len(frame), -1)
    lines = np.empty((len(down.weights), rows.shape[1]), np.float32)
    pixels = np.empty((len(lines), 3 * len(across.weights)), np.float32)
    _multiply(down, rows, lines)
    _multiply(across, lines.T, pixels.T)
    return pixels.reshape(len(lines), -1, 3)


def _multiply(along: Axis, values: np.ndarray, sums: np.ndarray) -> None:
    """Write the weighted sums of values [inputs, n] into [outputs, n]."""
    for block in along.blocks:
        some = values[block.inputs].astype(np.float32, copy=False)
        np.matmul(block.matrix, some, out=sums[block.outputs])


def _as_torch(
    frame: np.ndarray, down: Axis, across: Axis, where: tuple[np.ndarray, ...]
) -> np.ndarray:
    """Values of the resized frame at places (row, column, channel), each float32 [places]."""
    row, column, channel = where
    part = frame[
        down.places[row][:, :, None], across.places[column][:, None, :], channel[:, None, None]
    ]
    of_row = across.weights[column][:, None, :], across.fused[column][:, None, :]
    return _sums(_sums(part, *of_row), down.weights[row], down.fused[row])
