"""Files that say in their names how many of them there are: "test-00000-of-00002.parquet"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from avatar_core.errors import DataError

SHOWN = 5
"""Missing files that a message names."""
_SHARD = re.compile(r"(.*)-(\d{5})-of-(\d{5})(\.[^.]+)", re.DOTALL)


def check_shards(paths: Sequence[Path]) -> None:
    """Refuse, as `DataError`, part of a set of numbered files, and two sets of one name.

    Args:
        paths: files of one directory; one without such a number is passed over.
    """
    totals: dict[tuple[str, str], str] = {}
    names = {path.name for path in paths}
    for path in paths:
        match = _SHARD.fullmatch(path.name)
        if match is None:
            continue
        head, _, total, suffix = match.groups()
        if totals.setdefault((head, suffix), total) != total:
            raise DataError(
                f"{path}: is of a set of {int(total)} files, beside one of "
                f"{int(totals[head, suffix])}; remove one of the two sets"
            )
    for (head, suffix), total in totals.items():
        wanted = (f"{head}-{number:05}-of-{total}{suffix}" for number in range(int(total)))
        missing = [name for name in wanted if name not in names]
        if missing:
            more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
            raise DataError(
                f"{paths[0].parent}: holds only a part of a set of {int(total)} files, without "
                f"{', '.join(missing[:SHOWN])}{more}; fetch the rest"
            )
