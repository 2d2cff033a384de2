"""What a file holds, as a number: the same for equal files of any name."""

from __future__ import annotations

from pathlib import Path

from avatar_core.config.media import MediaConfig
from avatar_core.files import file_digest
from avatar_core.media.folder import is_folder, list_pictures, pictures_digest
from avatar_core.media.source import check_file, path_errors
from avatar_core.types import MediaRef


def content_digest(ref: MediaRef, config: MediaConfig) -> str:
    """BLAKE2b of a file's bytes, or of the names and bytes of a folder's pictures, hexadecimal.

    Raises:
        MediaError: there is no such file or folder, it is beyond a limit, or cannot be read.
    """
    with path_errors(ref.path):
        if is_folder(ref):
            return pictures_digest(ref, list_pictures(ref, config))
        check_file(ref.path, config)
        return file_digest(Path(ref.path), "blake2b")
