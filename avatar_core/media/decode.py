"""From a file to a clip: frames at planned positions, and sound on the same clock.

A video's sound covers its window: from `start` (else its first frame) to `end` (else the end of
its last frame), so that sound and frames begin together. A folder of pictures is a silent video.
Runs in the worker process only.
"""

from __future__ import annotations

import numpy as np
from av.container import InputContainer

from avatar_core.config.media import MediaConfig
from avatar_core.errors import MediaError, NoSoundError
from avatar_core.media.content import content_digest
from avatar_core.media.folder import is_folder, list_pictures, pictures_digest
from avatar_core.media.folder_reader import read_pictures
from avatar_core.media.frames import read_frames
from avatar_core.media.picture import is_picture, read_picture
from avatar_core.media.probe import Probe, check_header, open_media, probe_opened
from avatar_core.media.sound import SAMPLE_RATE, Track, is_sought, lay_out, read_sound
from avatar_core.media.still import read_still
from avatar_core.media.streams import picture_stream, sound_stream
from avatar_core.types import AudioMode, Clip, MediaRef

NO_TRACK = "has no sound track; use --audio auto to do without"


def decode(ref: MediaRef, config: MediaConfig, audio: AudioMode) -> Clip:
    """Read one media file as asked.

    Args:
        ref: the file or folder of pictures, its kind and an optional window in seconds; of an image
            the moment of the video file that is shown.
        config: sampling, sizes and limits.
        audio: for videos: "auto" takes the sound if there is any, "on" requires it, "off" does
            without.

    Raises:
        MediaError: the file cannot be read as asked.
        NoSoundError: sound is required and there is none.
    """
    if is_folder(ref):
        return _folder(ref, config, audio)
    digest = content_digest(ref, config)
    # A picture is the same at any moment.
    if ref.kind == "image" and (ref.start is None or is_picture(ref.path)):
        picture = read_picture(ref.path, config)
        return Clip(ref, picture, (0.0,), 1.0, None, SAMPLE_RATE, "image", digest)
    with open_media(ref.path) as container:
        return _opened(ref, container, config, audio, digest)


def _opened(
    ref: MediaRef,
    container: InputContainer,
    config: MediaConfig,
    audio: AudioMode,
    digest: str,
) -> Clip:
    """What is asked of an opened file: its packets are read once for the timeline and the sound."""
    check_header(ref.path, container, config)
    heard = ref.kind == "audio" or (ref.kind == "video" and audio != "off")
    track = _track(ref, container) if heard else None
    facts = probe_opened(ref.path, container, config, track)
    if ref.kind == "image":
        still = read_still(ref.path, ref.start or 0.0, container, facts.timeline, config)
        return Clip(ref, still.pixels, (still.time,), 1.0, None, SAMPLE_RATE, still.reader, digest)
    if ref.kind == "audio":
        alone = _sound_alone(ref, container, facts, track)
        return Clip(ref, None, (), 0.0, alone, SAMPLE_RATE, "av", digest)
    if facts.timeline is None:
        raise MediaError(ref.path, "has no video stream; read it as audio")
    if audio == "on" and not facts.has_sound:
        raise NoSoundError(ref.path, NO_TRACK)
    video = read_frames(ref, container, facts.timeline, config)
    sound = None
    if audio != "off" and facts.has_sound:
        start = video.times[0] if ref.start is None else ref.start
        end = video.end if ref.end is None else min(ref.end, video.end)
        sound = _sound(container, track, start, end)
        if sound is None and audio == "on":
            raise NoSoundError(ref.path, "has an empty sound track; use --audio auto to do without")
    return Clip(ref, video.pixels, video.times, video.fps, sound, SAMPLE_RATE, video.reader, digest)


def _folder(ref: MediaRef, config: MediaConfig, audio: AudioMode) -> Clip:
    """Pictures of a folder as the frames of a silent video."""
    pictures = list_pictures(ref, config)
    if audio == "on":
        raise NoSoundError(ref.path, NO_TRACK)
    digest = pictures_digest(ref, pictures)
    video = read_pictures(ref, pictures, config)
    return Clip(ref, video.pixels, video.times, video.fps, None, SAMPLE_RATE, video.reader, digest)


def _track(ref: MediaRef, container: InputContainer) -> Track | None:
    """The sound that is decoded while the timeline is read; `None` if there is no such sound.

    There is none without a picture, and a late window is reached by a seek of its own.
    """
    stream = sound_stream(container)
    if stream is None or picture_stream(container) is None or is_sought(container, ref.start or 0):
        return None
    return Track(container, stream, ref.end)


def _sound_alone(
    ref: MediaRef, container: InputContainer, facts: Probe, track: Track | None
) -> np.ndarray:
    """The sound of a file in its window, without regard to a picture."""
    start = ref.start or 0.0
    end = None if ref.end is None else min(ref.end, max(facts.duration, start))
    sound = _sound(container, track, start, end)
    if sound is None:
        raise NoSoundError(ref.path, "has no sound; give a file with a sound track")
    if sound.size == 0:
        raise MediaError(ref.path, "has no sound between start and end; widen the window")
    return sound


def _sound(
    container: InputContainer, track: Track | None, start: float, end: float | None
) -> np.ndarray | None:
    """Sound between two times, in seconds from the start of the file: from its track or by now."""
    if track is None:
        return read_sound(container, start, end)
    pieces = track.pieces()
    return lay_out(pieces, start, end) if pieces else None
