"""How likely a visit is passed over whose prompt has long earned one and the same reward."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple


class Run(NamedTuple):
    """The latest rewards of a prompt that are all equal."""

    reward: float = 0.0
    """What each of them is."""
    length: int = 0
    """How many there are; 0 for a prompt without rewards."""


def continued(run: Run, rewards: Sequence[float]) -> Run:
    """Take in the rewards of a visit, in any order.

    A visit with two different rewards ends the run, and so does one that earns another reward than
    those before it. No rewards change nothing.

    >>> continued(Run(reward=0.0, length=4), [0.0, 0.0])
    Run(reward=0.0, length=6)
    >>> continued(Run(reward=0.0, length=4), [1.0, 1.0])
    Run(reward=1.0, length=2)
    >>> continued(Run(reward=0.0, length=4), [0.0, 1.0])
    Run(reward=0.0, length=0)
    """
    if not rewards:
        return run
    if len(set(rewards)) > 1:
        return Run()
    same = run.length if run.reward == rewards[0] else 0
    return Run(rewards[0], same + len(rewards))


def skip_probability(length: int, *, group_size: int, keep: float, uniform: float) -> float:
    """Say how likely a visit is passed over.

        p = (1 − u) (1 − q^z)      z = (L − 1) / (G − 1)

    with L the run of equal rewards. A visit is kept with probability u whatever the rewards were,
    so p never reaches 1 and a prompt that is dead is tested again and again. The second factor is
    that of GRESO (arXiv 2506.02177), where z counts visits in a row whose rewards are all equal.
    Small groups are equal by chance more often than large ones, so a visit counts here as the part
    of a whole group that it is: one of G equal rewards is z = 1.

    Args:
        length: L ≥ 0; 0 and 1 give p = 0.
        group_size: G ≥ 2, completions of a whole group.
        keep: q in (0, 1], share kept of those on trial after one whole group of equal rewards.
        uniform: u in [0, 1].

    >>> [skip_probability(n, group_size=4, keep=0.5, uniform=0.5) for n in (0, 1, 4, 7)]
    [0.0, 0.0, 0.25, 0.375]
    """
    if group_size < 2:
        raise ValueError(f"group_size is {group_size}: pass at least 2")
    if not (0 < keep <= 1 and 0 <= uniform <= 1):
        raise ValueError(f"keep is {keep} and uniform {uniform}: pass shares in (0, 1] and [0, 1]")
    dead = max(length - 1, 0) / (group_size - 1)
    return (1 - uniform) * (1 - math.pow(keep, dead))
