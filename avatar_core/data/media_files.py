"""The media files that a row names: inside one directory, there, and in the order of the prompt."""

from __future__ import annotations

import difflib
import itertools
import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from avatar_core.errors import DataError
from avatar_core.files import contained_path
from avatar_core.types import MediaKind, MediaRef

MEDIA_KEYS: dict[MediaKind, str] = {"video": "videos", "image": "images", "audio": "audios"}
GUESSES = 100
"""Up to so many missing files are told which name may have been meant."""
LISTED = 2000
"""Names of a directory that are looked at for that."""
SIMILARITY = 0.8
"""Least share of matching characters of such a name."""


class MediaRoot:
    """The directory that every media file of a data set must lie in.

    Directories are resolved once each, so that 100,000 files cost one look at each of them.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folders: dict[str, str | None] = {}
        self._files: dict[str, str] = {}
        self._guesses = GUESSES

    def file(self, name: str) -> str:
        """Absolute path of a file, links followed.

        Raises:
            DataError: it leads outside the directory, is missing or is no file.
        """
        if name not in self._files:
            self._files[name] = self._plain(name) or self._followed(name)
        return self._files[name]

    def _plain(self, name: str) -> str | None:
        """Path of a regular file in a directory inside; `None` for all that takes more care."""
        folder, leaf = os.path.split(name)
        if folder not in self._folders:
            self._folders[folder] = self._folder(folder)
        base = self._folders[folder]
        if base is None:
            return None
        path = os.path.join(base, leaf)
        try:
            regular = stat.S_ISREG(os.lstat(path).st_mode)
        except (OSError, ValueError):
            return None
        return path if regular else None

    def _folder(self, name: str) -> str | None:
        try:
            return str(contained_path(self._root, name))
        except DataError:
            # The error that counts names the whole path.
            return None

    def _followed(self, name: str) -> str:
        path = contained_path(self._root, name)
        if path.is_file():
            return str(path)
        raise DataError(
            f"media file {name[:200]!r} is not in {self._root}{self._meant(name)}; check the path"
        )

    def _meant(self, name: str) -> str:
        """`, but 'x' is` for a file of nearly that name, else nothing."""
        folder, leaf = os.path.split(name)
        base = self._folders.get(folder)
        if base is None or self._guesses == 0:
            return ""
        self._guesses -= 1
        try:
            with os.scandir(base) as entries:
                names = sorted(entry.name for entry in itertools.islice(entries, LISTED))
        except OSError:
            return ""
        plain = {other.casefold(): other for other in names}
        near = difflib.get_close_matches(leaf.casefold(), plain, n=1, cutoff=SIMILARITY)
        stem = os.path.splitext(leaf)[0]
        found = [plain[other] for other in near]
        found += [other for other in names if os.path.splitext(other)[0] == stem]
        return f", but {os.path.join(folder, found[0])!r} is" if found else ""


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
        raise DataError(f"{key} must be a list of file paths")
    return value
