"""Bicubic resize with antialiasing, equal to torchvision's on uint8 tensors.

torchvision computes in float32, clamps to 0–255 and rounds; the same steps are done here with torch
alone, one frame at a time, so that a large video needs the memory of one frame. torch is imported
by the first frame that needs it: most small clips never do.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from avatar_core.media.plan import FrameSize

Resizer = Callable[[np.ndarray, FrameSize], np.ndarray]
"""Brings a uint8 RGB frame [height, width, 3] to a size."""


def resize_frame(frame: np.ndarray, size: FrameSize) -> np.ndarray:
    """Resize a uint8 RGB frame [height, width, 3]; the frame itself when it has that size."""
    if frame.shape[:2] == tuple(size):
        return frame
    import torch

    torch.set_num_threads(1)
    picture = torch.from_numpy(np.ascontiguousarray(frame)).permute(2, 0, 1)[None].float()
    resized = torch.nn.functional.interpolate(
        picture, size=list(size), mode="bicubic", align_corners=False, antialias=True
    )
    pixels = resized.clamp(0, 255).round().to(torch.uint8)
    return np.ascontiguousarray(pixels[0].permute(1, 2, 0).numpy())
