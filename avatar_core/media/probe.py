"""What a media file is, learnt without decoding it, and refused when it is beyond the limits.

Only local files and a fixed list of containers are opened. Playlists and scripts (HLS, DASH,
concat) name other files, so they are refused whatever their extension says. Runs in the worker
process only.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

import av
from av.container import InputContainer

from avatar_core.config.media import MediaConfig
from avatar_core.errors import MediaError
from avatar_core.media.sound import Track
from avatar_core.media.source import check_file
from avatar_core.media.streams import picture_stream, sound_stream
from avatar_core.media.timeline import Timeline, scan_timeline

CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,wav,mp3,flac,ogg,aac"
OPEN_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": CONTAINERS}


class Probe(NamedTuple):
    """Facts about a video or sound file."""

    duration: float
    """Seconds; 0 when the file does not say."""
    timeline: Timeline | None
    """When each frame is shown; `None` without a picture."""
    has_sound: bool
    """An audio track is there."""


@contextlib.contextmanager
def open_media(path: str) -> Iterator[InputContainer]:
    """Open a local file of an allowed container; FFmpeg's errors inside become `MediaError`."""
    try:
        with _opened(path) as container:
            yield container
    except av.error.InvalidDataError as error:
        raise MediaError(path, "is damaged or not a media file; replace it") from error
    except av.error.FFmpegError as error:
        raise MediaError(path, f"cannot be read ({error.strerror}); replace it") from error


def _opened(path: str) -> InputContainer:
    """The container of a file; an allow-list breach is FFmpeg's "invalid argument"."""
    file, options = os.path.abspath(path), dict(OPEN_OPTIONS)
    try:
        return av.open(file, "r", options=options, metadata_errors="replace")
    except av.error.ArgumentError as error:
        reason = "is not of an allowed container (playlists are refused); convert it to mp4"
        raise MediaError(path, reason) from error


def probe(path: str, config: MediaConfig) -> Probe:
    """Learn what a file is and check it against the limits of `config`.

    Raises:
        MediaError: the file is missing, refused, damaged or beyond a limit.
    """
    check_file(path, config)
    with open_media(path) as container:
        check_header(path, container, config)
        return probe_opened(path, container, config)


def probe_opened(
    path: str, container: InputContainer, config: MediaConfig, track: Track | None = None
) -> Probe:
    """Learn what a freshly opened file is; where it has a picture, read it to its end.

    Args:
        path: of the file.
        container: the file, after `check_header`.
        config: limits.
        track: its sound, decoded on the way if there is a picture.

    Raises:
        MediaError: the file is damaged or beyond a limit.
    """
    picture, sound = picture_stream(container), sound_stream(container)
    timeline = None if picture is None else scan_timeline(path, container, picture, track)
    if timeline is not None and timeline.seconds > config.max_seconds:
        raise _too_long(path, timeline.seconds, config)
    return Probe(_duration(container), timeline, sound is not None)


def _duration(container: InputContainer) -> float:
    """Seconds the container claims; 0 when it claims none or a negative number."""
    return max(0.0, float(Fraction(container.duration or 0, av.time_base)))


def _too_long(path: str, seconds: float, config: MediaConfig) -> MediaError:
    """The error of a file beyond `max_seconds`."""
    return MediaError(
        path,
        f"lasts {seconds:.1f} s, longer than max_seconds = {config.max_seconds:g}; "
        "cut it or raise the limit",
    )


def check_header(path: str, container: InputContainer, config: MediaConfig) -> None:
    """Refuse a container whose header is beyond the limits."""
    if len(container.streams) > config.max_streams:
        raise MediaError(
            path,
            f"has {len(container.streams)} streams, more than max_streams = {config.max_streams}; "
            "keep one picture and one sound track",
        )
    if _duration(container) > config.max_seconds:
        raise _too_long(path, _duration(container), config)
    for stream in container.streams.video:
        if stream.codec_context is not None and max(stream.width, stream.height) > config.max_side:
            raise MediaError(
                path,
                f"has a picture of {stream.width} x {stream.height}, "
                f"beyond max_side = {config.max_side}; reduce it or raise the limit",
            )
