"""Replies of a judge on disk, by content: what was asked once is not asked again after a restart.

Several processes may use one file at the same time; SQLite orders their writes.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from avatar_core.errors import DiskError
from avatar_core.files import disk_errors

_LOCK_SECONDS = 30.0
_QUERY_SIZE = 500
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS replies "
    "(place INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT UNIQUE NOT NULL, reply TEXT NOT NULL)"
)


class ReplyCache:
    """Replies by key in one SQLite file; a connection lives for one call only.

    Attributes:
        path: the file; made with the first reply.
        entries: replies kept; the oldest leave first.
    """

    def __init__(self, path: Path, entries: int = 1_000_000) -> None:
        self.path = path
        self.entries = entries
        # A file that is no database is refused before anything is asked.
        self.get(())

    def get(self, keys: Collection[str]) -> dict[str, str]:
        """The replies held under these keys.

        Raises:
            DiskError: the file cannot be read.
        """
        wanted = sorted(keys)
        found: dict[str, str] = {}
        if not self.path.exists():
            return found
        with self._connection() as connection:
            for start in range(0, len(wanted), _QUERY_SIZE):
                part = wanted[start : start + _QUERY_SIZE]
                marks = ",".join("?" * len(part))
                query = f"SELECT key, reply FROM replies WHERE key IN ({marks})"  # noqa: S608 - marks
                found.update(connection.execute(query, part).fetchall())
        return found

    def put(self, replies: Mapping[str, str]) -> None:
        """Hold these replies; a key that is held already keeps its reply.

        Raises:
            DiskError: the file cannot be written.
        """
        if not replies:
            return
        with disk_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._connection() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO replies (key, reply) VALUES (?, ?)", replies.items()
            )
            connection.execute(
                "DELETE FROM replies WHERE place <= (SELECT MAX(place) FROM replies) - ?",
                (self.entries,),
            )

    @contextlib.contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """A connection whose changes are committed at the end, all or none."""
        try:
            with (
                contextlib.closing(sqlite3.connect(self.path, timeout=_LOCK_SECONDS)) as connection,
                connection,
            ):
                # Another process may have made the file and not yet its table.
                connection.execute(_SCHEMA)
                yield connection
        except sqlite3.Error as error:
            raise DiskError(
                f"{self.path}: the judge's stored replies cannot be used ({error}); remove the "
                "file or name another one in judge.cache"
            ) from error
