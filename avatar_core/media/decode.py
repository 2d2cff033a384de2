"""From a file to a clip: frames at planned positions, and sound on the same clock.

A video's sound covers its window: from `start` (else its first frame) to `end` (else the end of
its last frame), so that sound and frames begin together. A folder of pictures is a silent video.
Runs in the worker process only.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from avatar_core.config.media import MediaConfig
from avatar_core.errors import MediaError, NoSoundError
from avatar_core.files import file_digest
from avatar_core.media.folder import is_folder, list_pictures, pictures_digest
from avatar_core.media.folder_reader import read_pictures
from avatar_core.media.frames import read_frames
from avatar_core.media.picture import is_picture, read_picture
from avatar_core.media.probe import Probe, open_media, probe
from avatar_core.media.resize import Resizer, resize_frame
from avatar_core.media.sound import SAMPLE_RATE, read_sound
from avatar_core.media.source import check_file
from avatar_core.media.still import read_still
from avatar_core.types import AudioMode, Clip, MediaRef

NO_TRACK = "has no sound track; use --audio auto to do without"


def decode(
    ref: MediaRef, config: MediaConfig, audio: AudioMode, resize: Resizer = resize_frame
) -> Clip:
    """Read one media file as asked.

    Args:
        ref: the file or folder of pictures, its kind and an optional window in seconds; of an image
            the moment of the video file that is shown.
        config: sampling, sizes and limits.
        audio: for videos: "auto" takes the sound if there is any, "on" requires it, "off" does
            without.
        resize: brings a video frame to its size.

    Raises:
        MediaError: the file cannot be read as asked.
        NoSoundError: sound is required and there is none.
    """
    if is_folder(ref):
        return _folder(ref, config, audio, resize)
    check_file(ref.path, config)
    digest = file_digest(Path(ref.path), "blake2b")
    # A picture is the same at any moment.
    if ref.kind == "image" and (ref.start is None or is_picture(ref.path)):
        picture = read_picture(ref.path, config)
        return Clip(ref, picture, (0.0,), 1.0, None, SAMPLE_RATE, "image", digest)
    facts = probe(ref.path, config)
    if ref.kind == "image":
        still = read_still(ref.path, ref.start or 0.0, facts, config)
        return Clip(ref, still.pixels, (still.time,), 1.0, None, SAMPLE_RATE, still.reader, digest)
    if ref.kind == "audio":
        return Clip(ref, None, (), 0.0, _track(ref, facts), SAMPLE_RATE, "av", digest)
    return _video(ref, facts, config, audio, resize, digest)


def _folder(ref: MediaRef, config: MediaConfig, audio: AudioMode, resize: Resizer) -> Clip:
    """Pictures of a folder as the frames of a silent video."""
    pictures = list_pictures(ref, config)
    if audio == "on":
        raise NoSoundError(ref.path, NO_TRACK)
    digest = pictures_digest(ref, pictures)
    video = read_pictures(ref, pictures, config, resize)
    return Clip(ref, video.pixels, video.times, video.fps, None, SAMPLE_RATE, video.reader, digest)


def _track(ref: MediaRef, facts: Probe) -> np.ndarray:
    """The sound track of a file in its window."""
    end = None if ref.end is None else min(ref.end, max(facts.duration, ref.start or 0.0))
    sound = _sound(ref, ref.start or 0.0, end) if facts.has_sound else None
    if sound is None:
        raise NoSoundError(ref.path, "has no sound; give a file with a sound track")
    if sound.size == 0:
        raise MediaError(ref.path, "has no sound between start and end; widen the window")
    return sound


def _video(
    ref: MediaRef,
    facts: Probe,
    config: MediaConfig,
    audio: AudioMode,
    resize: Resizer,
    digest: str,
) -> Clip:
    """Frames of a video and, as `audio` says, its sound."""
    if facts.timeline is None:
        raise MediaError(ref.path, "has no video stream; read it as audio")
    if audio == "on" and not facts.has_sound:
        raise NoSoundError(ref.path, NO_TRACK)
    video = read_frames(ref, facts, facts.timeline, config, resize)
    sound = None
    if audio != "off" and facts.has_sound:
        start = video.times[0] if ref.start is None else ref.start
        end = video.end if ref.end is None else min(ref.end, video.end)
        sound = _sound(ref, start, end)
        if sound is None and audio == "on":
            raise NoSoundError(ref.path, "has an empty sound track; use --audio auto to do without")
    return Clip(ref, video.pixels, video.times, video.fps, sound, SAMPLE_RATE, video.reader, digest)


def _sound(ref: MediaRef, start: float, end: float | None) -> np.ndarray | None:
    """Sound of a file between two times, in seconds from its start."""
    with open_media(ref.path) as container:
        return read_sound(container, start, end)
