"""Means over trees, and how far they can be trusted: cluster bootstrap, exact tests."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from avatar_core.seeds import array_rng_from

RESAMPLES = 2000
Path = tuple[str, ...]
"""Place of an item in a tree of strata; empty for the only place of all."""


class Interval(NamedTuple):
    """A 95 % interval."""

    low: float
    """2.5th percentile."""
    high: float
    """97.5th percentile."""


def tree_mean(paths: Sequence[Path], values: Sequence[float]) -> float:
    """Mean of values over their leaves, then of the leaves over theirs, each step unweighted.

    Raises:
        ValueError: a value stands where others branch off.

    >>> tree_mean([("a", "x"), ("a", "x"), ("a", "y"), ("b",)], [0.0, 1.0, 1.0, 0.0])
    0.375
    """
    children: dict[str, list[int]] = defaultdict(list)
    for index, path in enumerate(paths):
        if path:
            children[path[0]].append(index)
    if not children:
        return float(np.mean(values))
    if not all(paths):
        raise ValueError("tree_mean has a value at a place that others lie below")
    means = [
        tree_mean([paths[i][1:] for i in members], [values[i] for i in members])
        for members in children.values()
    ]
    return float(np.mean(means))


def bootstrap_interval(
    values: Sequence[float],
    clusters: Sequence[str],
    paths: Sequence[Path] | None = None,
    *,
    seed: int = 0,
) -> Interval | None:
    """95 % percentile interval of a mean, resampling whole clusters.

    Args:
        values: one per item.
        clusters: cluster of each item, such as its video; items of one cluster are drawn together.
        paths: place of each item in the tree of `tree_mean`; `None` for a plain mean.
        seed: of the resampling.

    Returns:
        The interval from 2,000 resamples, or `None` with fewer than two clusters.
    """
    names = sorted(set(clusters))
    if len(names) < 2:
        return None
    places = list(paths) if paths else [()] * len(values)
    leaves = sorted(set(places))
    row = {name: index for index, name in enumerate(names)}
    column = {leaf: index for index, leaf in enumerate(leaves)}
    at = ([row[name] for name in clusters], [column[leaf] for leaf in places])
    totals, counts = np.zeros((2, len(names), len(leaves)))
    np.add.at(totals, at, np.asarray(values, dtype=float))
    np.add.at(counts, at, 1.0)
    # One resample at a time: all at once take hundreds of megabytes at 10,000 clusters.
    rng = array_rng_from("bootstrap", seed)
    means = np.empty(RESAMPLES)
    for index in range(RESAMPLES):
        drawn = np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names))
        there = drawn @ counts
        held = np.flatnonzero(there)
        means[index] = tree_mean(
            [leaves[i] for i in held], ((drawn @ totals)[held] / there[held]).tolist()
        )
    low, high = np.percentile(means, [2.5, 97.5])
    return Interval(float(low), float(high))


def binomial_reach(trials: int) -> float:
    """How far from its end the exact 95 % interval of an all-wrong or all-right result reaches.

    With no success in n trials the interval ends at 1 − 0.025^(1/n).

    >>> round(binomial_reach(10), 3)
    0.308
    """
    return float(1 - 0.025 ** (1 / trials))


def mcnemar(gained: int, lost: int) -> float:
    """Two-sided exact McNemar test: how likely so uneven a split of the changed items is by chance.

    p = min(1, 2 · Σ_{k ≤ min(g, l)} C(g + l, k) / 2^(g + l)), 1 when nothing changed.

    Args:
        gained: items wrong before and right after.
        lost: items right before and wrong after.

    >>> mcnemar(8, 1)
    0.0390625
    """
    changed = gained + lost
    tail = sum(math.comb(changed, k) for k in range(min(gained, lost) + 1))
    return float(min(1.0, 2 * tail / 2**changed))
