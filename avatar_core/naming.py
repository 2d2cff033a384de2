"""Names: the nearest that exists, for errors about one that does not, and each of many once."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence
from itertools import count

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


def numbered(names: Sequence[str]) -> list[str]:
    """The names, each once: those that repeat one get "#2", "#3" behind it.

    A number that another of the names ends in is passed over.

    >>> numbered(["a", "a#2", "a"])
    ['a', 'a#2', 'a#3']
    """
    own = set(names)
    seen: set[str] = set()
    unique = []
    for name in names:
        free = name
        if name in seen:
            repeats = (f"{name}#{number}" for number in count(2))
            free = next(one for one in repeats if one not in own and one not in seen)
        seen.add(free)
        unique.append(free)
    return unique
