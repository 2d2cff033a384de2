"""Which groups the page shows: a few hundred, from all of the run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from avatar_core.records import GroupRow

GROUPS = 240
"""Groups on a page, shared among its runs."""
GROUP_BYTES = 1_200_000
"""Bytes that they may take, about; long completions make them fewer."""
FEWEST = 10
"""Groups of a run that are shown whatever they take."""
MOST_TEXT = 1500
"""Characters of a completion or a question that are shown."""
AROUND_GROUP, AROUND_COMPLETION = 1200, 200
"""Bytes of a row of the table and of a completion in it, besides their texts."""
LEAST = 8
"""Groups of each kind that are shown if there are as many, however rare the kind is."""


def groups_shown(groups: Sequence[GroupRow], runs: int) -> int:
    """About how many groups of a run a page shows, so that its size is bounded.

    Args:
        groups: of the run.
        runs: runs on the page.
    """
    looked_at = groups[:: max(1, len(groups) // 200)]
    sizes = [
        AROUND_GROUP + sum(AROUND_COMPLETION + _bytes(item.text) for item in row.completions)
        for row in looked_at
    ]
    mean = sum(sizes) / len(sizes) if sizes else AROUND_GROUP
    share = max(1, runs)
    return max(FEWEST, min(GROUPS // share, int(GROUP_BYTES / share / mean)))


def sampled_groups(groups: Sequence[GroupRow], limit: int) -> list[GroupRow]:
    """At most about `limit` groups, evenly spaced within each tier and source.

    Kinds are shown in proportion to their number, rare ones with `LEAST` groups; so a few more than
    `limit` may come out.

    Args:
        groups: rows in order of the steps.
        limit: groups wanted.

    Returns:
        In order of the steps.
    """
    if len(groups) <= limit:
        return list(groups)
    kinds: dict[tuple[str, str | None, bool], list[int]] = {}
    for place, row in enumerate(groups):
        kinds.setdefault((row.source, row.tier, row.hinted), []).append(place)
    kept: list[int] = []
    for places in kinds.values():
        share = max(LEAST, round(limit * len(places) / len(groups)))
        chosen = np.linspace(0, len(places) - 1, min(share, len(places))).round().astype(int)
        kept += [places[index] for index in dict.fromkeys(chosen)]
    return [groups[place] for place in sorted(kept)]


def _bytes(text: str) -> int:
    """What a text takes on the page, without what escaping adds."""
    return len(text[:MOST_TEXT].encode("utf-8", "replace"))
