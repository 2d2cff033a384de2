"""Videos that a downloader numbered, found by the addresses they came from."""

from __future__ import annotations

import re
from pathlib import Path

from avatar_core.files import contained_path, read_errors
from avatar_core.strict_json import RowDecoder

MAX_SIDECAR = 16 * 2**20
"""Most bytes of a file that says which video a numbered file is; longer ones are not read."""
_KEY_END = re.compile(r"[=/]")


def numbered_videos(home: Path) -> dict[str, str]:
    """Files that a downloader numbered, by the key that the JSON file beside each of them names.

    Args:
        home: directory of the benchmark, with folders such as `00000` in it or one level below.

    Raises:
        DataError: such a file cannot be read, or is a link that leads outside.

    Returns:
        Path relative to `home` by the last part of every address in the file.
    """
    found: dict[str, str] = {}
    with read_errors(home):
        for sidecar in sorted([*home.glob("0*/0*.json"), *home.glob("*/0*/0*.json")]):
            place = sidecar.relative_to(home).with_suffix("").as_posix()
            file = contained_path(home, f"{place}.json")
            if file.is_file() and file.stat().st_size <= MAX_SIDECAR:
                content = RowDecoder().line(file.read_bytes())
                values = content.values() if isinstance(content, dict) else ()
                named = [value for value in values if isinstance(value, str)]
                found |= {_KEY_END.split(value)[-1]: f"{place}.mp4" for value in named}
    return found
