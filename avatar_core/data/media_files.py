"""The media files that a row names: one for each tag of its text, in the order of the prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from avatar_core.errors import DataError
from avatar_core.media_root import MediaRoot
from avatar_core.types import MediaKind, MediaRef

MEDIA_KEYS: dict[MediaKind, str] = {"video": "videos", "image": "images", "audio": "audios"}


def media_refs(
    given: Mapping[MediaKind, object], kinds: Sequence[MediaKind], root: MediaRoot
) -> tuple[MediaRef, ...]:
    """Files of a row in prompt order: that of the tags, else videos, images, audios.

    Args:
        given: what the row names by kind, a list of paths or nothing.
        kinds: kinds of the media tags in the text.
        root: where the files are.

    Raises:
        DataError: a file is missing or outside, or the tags of the text do not agree with the
            files.
    """
    names = {kind: _names(given.get(kind), key) for kind, key in MEDIA_KEYS.items()}
    for kind, files in names.items():
        if kinds and kinds.count(kind) != len(files):
            raise DataError(
                f"{kinds.count(kind)} <{kind}> tags but {len(files)} {MEDIA_KEYS[kind]}; "
                "give one tag per file, or none at all"
            )
    order = kinds or [kind for kind, files in names.items() for _ in files]
    waiting = {kind: iter(files) for kind, files in names.items()}
    return tuple(MediaRef(kind, root.file(next(waiting[kind]))) for kind in order)


def _names(value: object, key: str) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(name, str) and name for name in value):
        raise DataError(f'{key} must be a list of file paths, for example ["clips/a.mp4"]')
    return value
