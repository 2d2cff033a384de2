"""The nearest name that exists, for errors about a name that does not."""

from __future__ import annotations

import difflib
from collections.abc import Collection

LISTED = 8
"""Up to so many known names are listed when none is near."""
SIMILARITY = 0.5
"""Least share of matching characters at which a name is taken for a misspelling of another."""


def nearest(name: str, known: Collection[str]) -> str:
    """The end of an error message about an unknown name: the name that may have been meant.

    A known name that ends in the same word after its last dot is near too: `warmup` finds
    `optim.warmup`.

    Args:
        name: what was given.
        known: the names that exist, in the order in which they are listed.

    Returns:
        `; did you mean 'x'?` for a near name, else `; known: x, y` when there are at most `LISTED`
        names, else nothing.
    """
    leaf = name.rpartition(".")[2]
    near = difflib.get_close_matches(name, known, n=1, cutoff=SIMILARITY)
    near = near or [other for other in known if other.rpartition(".")[2] == leaf]
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; known: {', '.join(known)}" if 0 < len(known) <= LISTED else ""
