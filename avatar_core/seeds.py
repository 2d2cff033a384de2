"""Randomness from coordinates: a seed is a hash of where it is used; no state is ever saved."""

from __future__ import annotations

import hashlib
import random

import numpy as np


def seed_from(*coordinates: int | str) -> int:
    """Hash coordinates such as (run seed, step, sample id, draw) to a seed in [0, 2⁶³).

    Every coordinate is written with its type and length, so ("a", "bc") and ("ab", "c"), or 1 and
    "1", differ.

    >>> seed_from(0, "a", "bc") == seed_from(0, "ab", "c")
    False
    """
    digest = hashlib.blake2b(digest_size=8)
    for value in coordinates:
        text = str(value).encode()
        digest.update(f"{type(value).__name__}:{len(text)}:".encode() + text)
    return int.from_bytes(digest.digest(), "big") >> 1


def rng_from(*coordinates: int | str) -> random.Random:
    """A `random.Random` that depends on the coordinates and on nothing else."""
    return random.Random(seed_from(*coordinates))  # noqa: S311 - not for secrets


def array_rng_from(*coordinates: int | str) -> np.random.Generator:
    """A numpy generator that depends on the coordinates and on nothing else."""
    return np.random.default_rng(seed_from(*coordinates))
