"""How many completions a prompt needs, given what is remembered of its rewards."""

from __future__ import annotations

import math


def adaptive_group_size(weight: float, *, least: int, most: int, strength: float) -> int:
    """Draw as few completions as give a baseline that is as well founded as a new prompt's.

        G = min { g : N + κ (g − 1) ≥ κ (G_max − 1) }, within [G_min, G_max]
          = ⌈G_max − N / κ⌉, likewise

    N + κ (g − 1) is the weight of evidence that a baseline of a group of g rests on, see
    `avatar_core.algo.shrinkage.shrinkage_gaps`; the right side is that of a whole group without
    memory. So a prompt never seen gets G_max, one remembered by N ≥ κ (G_max − G_min) rewards gets
    G_min, and one that was not visited for long gets more again as its memory fades. Drawing fewer
    where more is known is the idea of AERO (arXiv 2602.14338), which asks a posterior of its own.

    Args:
        weight: N ≥ 0, see `avatar_core.algo.shrinkage.Memory`.
        least: G_min ≥ 1.
        most: G_max ≥ G_min.
        strength: κ > 0.

    >>> [adaptive_group_size(n, least=2, most=8, strength=2.0) for n in (0, 3, 8, 12, 50)]
    [8, 7, 4, 2, 2]
    """
    if not 1 <= least <= most:
        raise ValueError(f"least is {least} and most {most}: pass 1 <= least <= most")
    if not strength > 0:
        raise ValueError(f"strength is {strength}: pass a number above 0")
    return max(least, min(most, math.ceil(most - weight / strength)))
