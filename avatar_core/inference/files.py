"""The files of a question: checked, and read by another process while this one loads the model."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from avatar_core.config.inference import AskConfig, InferConfig
from avatar_core.config.media import MediaConfig
from avatar_core.errors import MediaError, MediaTimeout, NoSoundError, UsageError
from avatar_core.media import MediaLoader
from avatar_core.run_settings import RunSettings, run_settings
from avatar_core.types import AudioMode, Clip, MediaKind, MediaRef

DEFAULT_MODEL = "yogkul2000/AVATAR"
MODEL_VARIABLE = "AVATAR_MODEL"
FIRST_LOOK_SECONDS = 2.0
"""How long a model waits for the files, which are read on beside it from then on."""
IMAGES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"})
SOUNDS = frozenset({".wav", ".mp3", ".flac", ".ogg", ".oga", ".opus", ".m4a", ".aac"})


class Files(NamedTuple):
    """The files of a question while they are read."""

    config: InferConfig
    """As it was asked."""
    settings: RunSettings
    """How the model was trained to be asked."""
    decoded: Future[tuple[Clip, ...]]
    """The files in order, once they have been read."""
    began: float
    """When that began, by `time.perf_counter`."""

    def clips(self) -> tuple[Clip, ...]:
        """The decoded files in order; waits for them.

        Raises:
            MediaError: one cannot be read as asked.
            UsageError: one holds sound alone and `audio` is "off".
        """
        return self.decoded.result()


def model_of(config: AskConfig) -> str:
    """The model that is asked: as given, else that of the environment, else the authors'."""
    return config.model or os.environ.get(MODEL_VARIABLE) or DEFAULT_MODEL


def check_question(question: str) -> None:
    """Raise `UsageError` for a question that is empty or that no tokenizer takes."""
    if not question.strip():
        raise UsageError("the question is empty; say what to ask about the file")
    try:
        question.encode()
    except UnicodeEncodeError as error:
        raise UsageError("the question holds bytes that are not UTF-8; give it in UTF-8") from error


@contextmanager
def reading(config: InferConfig) -> Iterator[Files]:
    """Check the files of a question and have them read until the block ends.

    The block begins when they have been read, or after `FIRST_LOOK_SECONDS`: most bad files are
    known to be bad by then, and whoever gave one does not wait for a model.

    Raises:
        UsageError: an option is not usable, or the model's directory is none.
        MediaError: a file cannot be read as asked.
    """
    check_files(config)
    settings = run_settings(model_of(config))
    media = media_settings(config, settings.media).model_copy(update={"workers": 1})
    began = time.perf_counter()
    with ThreadPoolExecutor(1) as reader, MediaLoader(media) as loader:
        decoded = reader.submit(load_clips, loader, config)
        if decoded in wait([decoded], FIRST_LOOK_SECONDS).done:
            decoded.result()
        yield Files(config, settings, decoded, began)


def check_files(config: InferConfig) -> None:
    """Refuse a window that cannot be shown and a use of sound that a file cannot have.

    Raises:
        UsageError: names the option.
    """
    if config.start is not None and config.end is not None and config.end <= config.start:
        raise UsageError(f"--end {config.end:g} is not after --start {config.start:g}; widen it")
    windowed = not (config.start is None and config.end is None)
    if windowed and kind_of(config.video) == "image":
        raise UsageError("--start and --end are for videos and sounds; leave them out for an image")
    for path in (config.video, *config.also):
        kind = kind_of(path)
        if (kind, config.audio) in {("image", "on"), ("audio", "off")}:
            raise UsageError(
                f"--audio {config.audio} cannot be honoured for an {kind} file; leave it out"
            )


def refs_of(config: InferConfig) -> tuple[MediaRef, ...]:
    """The files of a question in prompt order; the window is that of the first."""
    first = MediaRef(kind_of(config.video), str(config.video), config.start, config.end)
    return (first, *(MediaRef(kind_of(path), str(path)) for path in config.also))


def kind_of(path: Path) -> MediaKind:
    """What a file is by its suffix; whatever is neither image nor sound is tried as a video."""
    suffix = path.suffix.casefold()
    return "image" if suffix in IMAGES else "audio" if suffix in SOUNDS else "video"


def media_settings(config: AskConfig, trained: MediaConfig) -> MediaConfig:
    """How files are read: as in training, with what the question overrides."""
    given = config.model_dump(include={"fps", "max_frames", "max_pixels"}, exclude_none=True)
    if config.max_pixels is not None:
        given["image_max_pixels"] = config.max_pixels
        given["min_pixels"] = min(trained.min_pixels, config.max_pixels)
    if config.max_frames is not None:
        given["min_frames"] = min(trained.min_frames, config.max_frames)
    return trained.model_copy(update=given)


def load_clips(loader: MediaLoader, config: InferConfig) -> tuple[Clip, ...]:
    """The decoded files of a question in order; raises as `load_clip` does."""
    return tuple(load_clip(loader, ref, config.audio) for ref in refs_of(config))


def load_clip(loader: MediaLoader, ref: MediaRef, audio: AudioMode | None) -> Clip:
    """Decode a file; one that holds sound alone is read as sound whatever its suffix.

    Raises:
        MediaError: it cannot be read as asked.
        UsageError: it holds sound alone and `audio` is "off".
    """
    try:
        return loader.load(ref, audio=audio)
    except (MediaTimeout, NoSoundError):
        raise
    except MediaError as error:
        clip = sound_alone(loader, ref, error) if ref.kind == "video" else None
        if clip is None:
            raise
    if audio == "off":
        raise UsageError(
            f"--audio off: {ref.path} holds sound and no picture, so nothing is left to show; "
            "leave --audio out"
        )
    return clip


def sound_alone(loader: MediaLoader, ref: MediaRef, refused: MediaError) -> Clip | None:
    """The sound of a file that could not be read as a video, when it has no picture.

    Args:
        loader: reads files in processes of its own.
        ref: the file as a video.
        refused: why it could not be read as one.

    Raises:
        MediaError: it cannot be read as sound either, for another reason.
    """
    try:
        clip = loader.load(MediaRef("audio", ref.path, ref.start, ref.end))
    except NoSoundError:
        return None
    except MediaError as error:
        if error.reason == refused.reason:
            return None
        raise MediaError(ref.path, f"{refused.reason}; as sound: {error.reason}") from error
    from avatar_core.media.probe import probe

    # A probe may crash on a file. This one has just passed it in a worker process.
    return clip if probe(ref.path, loader.config).timeline is None else None
