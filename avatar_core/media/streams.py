"""Which stream of a container is the picture, which the sound, and where its clock begins."""

from __future__ import annotations

from fractions import Fraction

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Stream
from av.video.stream import VideoStream

from avatar_core.errors import MediaError


def picture_stream(container: InputContainer) -> VideoStream | None:
    """The first video stream that is not a cover picture.

    Raises:
        MediaError: its codec is not known.
    """
    attached = av.stream.Disposition.attached_pic
    stream = next((s for s in container.streams.video if not s.disposition & attached), None)
    _check_codec(container, stream, "picture")
    return stream


def sound_stream(container: InputContainer) -> AudioStream | None:
    """The audio stream FFmpeg holds to be the main one, or the first.

    Raises:
        MediaError: its codec is not known; such a file is not silent.
    """
    best = container.streams.best("audio") or next(iter(container.streams.audio), None)
    stream = best if isinstance(best, AudioStream) else None
    _check_codec(container, stream, "sound")
    return stream


def _check_codec(container: InputContainer, stream: Stream | None, part: str) -> None:
    """Refuse a stream that nothing can decode."""
    if stream is not None and stream.codec_context is None:
        raise MediaError(container.name, f"has a {part} of an unknown codec; encode it again")


def time_origin(container: InputContainer) -> Fraction:
    """Stamp, in seconds, of the start of the file.

    That is zero, except in files whose clock starts later, as broadcasts do: there it is the first
    frame, or the first sample of a file without a picture.
    """
    if not container.start_time or container.start_time < 0:
        return Fraction(0)
    picture = picture_stream(container)
    if picture is None or picture.start_time is None or picture.time_base is None:
        return Fraction(container.start_time, 1_000_000)
    return picture.start_time * picture.time_base
