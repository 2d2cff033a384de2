"""The directory that every media file of a data set must lie in, and the files in it by name."""

from __future__ import annotations

import difflib
import itertools
import os
import stat
from pathlib import Path

from avatar_core.errors import DataError
from avatar_core.files import contained_path

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
        found = self.find(name)
        if found is None:
            raise DataError(
                f"media file {name[:200]!r} is not in {self._root.absolute()}{self._meant(name)}; "
                "check the path"
            )
        return found

    def find(self, name: str) -> str | None:
        """As `file`, but `None` for a file that is missing; what leads outside is refused."""
        if name not in self._files:
            path = self._located(name)
            if path is None:
                return None
            self._files[name] = path
        return self._files[name]

    def _located(self, name: str) -> str | None:
        folder, leaf = os.path.split(name)
        if folder not in self._folders:
            self._folders[folder] = self._folder(folder)
        base = self._folders[folder]
        if base is not None:
            path = os.path.join(base, leaf)
            try:
                if stat.S_ISREG(os.lstat(path).st_mode):
                    return path
            except (FileNotFoundError, NotADirectoryError):
                return None
            except (OSError, ValueError):
                pass  # The error that counts is that of the whole path, below.
        # A link, or what takes more care.
        followed = contained_path(self._root, name)
        return str(followed) if followed.is_file() else None

    def _folder(self, name: str) -> str | None:
        try:
            return str(contained_path(self._root, name))
        except DataError:
            # The error that counts names the whole path.
            return None

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
