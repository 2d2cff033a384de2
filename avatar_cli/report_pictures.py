"""Frames of prompts as small strips, read the way training reads media."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence

from PIL import Image, ImageOps

from avatar_core.config.media import MediaConfig
from avatar_core.config.train import TrainConfig
from avatar_core.errors import MediaError
from avatar_core.media import MediaLoader
from avatar_core.reporting.html.views import STRIP
from avatar_core.reporting.records_io import RunRecords
from avatar_core.reporting.settings import train_config
from avatar_core.types import Clip, MediaRef, Sample

FRAMES, GAP = 3, 3
QUALITY = 72
BATCH = 16
"""Clips decoded at a time; after each the bytes are counted."""
UNREADABLE = 5
"""After so many clips that cannot be read the others are not tried: each may take the deadline."""
DEADLINE_SECONDS = 10.0
_SCENE = re.compile(r"scenes/train/([0-9]+)/([0-3])/([0-9]+)")


def strips_of(records: RunRecords, prompts: Sequence[str], budget: int) -> dict[str, bytes]:
    """A strip of frames for each prompt whose clip can be read, as JPEG, by prompt id.

    Args:
        records: of the run.
        prompts: ids, in the order in which they matter.
        budget: most bytes of all strips.

    Raises:
        UsageError: the run's configuration or its data file is missing.
        DataError: its data file is not usable any more.
    """
    if not prompts or not budget:
        return {}
    config = train_config(records)
    samples = _samples(config, prompts)
    refs = {name: ref for name in prompts if (ref := _seen(samples.get(name)))}
    strips: dict[str, bytes] = {}
    unreadable = total = 0
    with MediaLoader(_small(config.media)) as loader:
        names = list(refs)
        for first in range(0, len(names), BATCH):
            batch = names[first : first + BATCH]
            clips = loader.load_many([refs[name] for name in batch], audio="off")
            for name, clip in zip(batch, clips, strict=True):
                if isinstance(clip, MediaError) or clip.frames is None:
                    unreadable += 1
                    continue
                strip = strip_of(clip)
                total += len(strip)
                if total > budget:
                    return strips
                strips[name] = strip
            if unreadable >= UNREADABLE:
                return strips
    return strips


def strip_of(clip: Clip) -> bytes:
    """First, middle and last frame side by side, as JPEG of `STRIP` pixels."""
    frames = clip.frames
    if frames is None or not len(frames):
        raise MediaError(clip.ref.path, "has no frames; show it without")
    width, height = STRIP
    cell = (width - (FRAMES - 1) * GAP) // FRAMES
    ground = Image.new("RGB", STRIP, (128, 128, 128))
    last = len(frames) - 1
    for place, index in enumerate((0, last // 2, last)):
        frame = Image.fromarray(frames[index])
        picture = ImageOps.contain(frame, (cell, height), Image.Resampling.BICUBIC)
        left = place * (cell + GAP) + (cell - picture.width) // 2
        ground.paste(picture, (left, (height - picture.height) // 2))
    file = io.BytesIO()
    ground.save(file, "JPEG", quality=QUALITY, optimize=True)
    return file.getvalue()


def _samples(config: TrainConfig, prompts: Sequence[str]) -> Mapping[str, Sample]:
    """The samples of some prompts; of scenes only these are drawn, and rendered where missing."""
    from avatar_core.data.scenes import scene_samples
    from avatar_core.training.data import SCENES, training_part

    if config.data != SCENES:
        return {sample.id: sample for sample in training_part(config, render=False).samples}
    found = {}
    for name in prompts:
        if match := _SCENE.fullmatch(name):
            seed, stage, index = map(int, match.groups())
            (found[name],) = scene_samples(
                split="train", stage=stage, count=1, seed=seed, start=index
            )
    return found


def _seen(sample: Sample | None) -> MediaRef | None:
    """The first medium of a sample that has a picture."""
    media = sample.media if sample else ()
    return next((ref for ref in media if ref.kind != "audio"), None)


def _small(config: MediaConfig) -> MediaConfig:
    """The settings with as few and small frames as a strip needs."""
    pixels = max(config.min_pixels, min(config.max_pixels, 128 * 128))
    return config.model_copy(
        update={
            "min_frames": 2,
            "max_frames": 4,
            "max_pixels": pixels,
            "image_max_pixels": max(config.min_pixels, pixels),
            "cache_bytes": 0,
            "workers": 1,
            "deadline_seconds": min(config.deadline_seconds, DEADLINE_SECONDS),
        }
    )
