"""Token weights of Temporal Advantage Shaping from a run's settings, without torch.

The formulas are those of `avatar_core.algo.tas`; a test holds the two together. They stand here
once more because a report is made in a second, and torch alone takes several to load.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np


class Shaping(NamedTuple):
    """How the tokens of a completion are weighted."""

    lam: float
    """λ ≥ 0."""
    shape: str
    """Curve of the weights."""
    normalize: bool
    """The weights of a completion average 1."""


def shaping_of(config: Mapping[str, Any] | None) -> Shaping | None:
    """The shaping of a training run; `None` where its configuration does not say."""
    advantage = (config or {}).get("advantage")
    if not isinstance(advantage, Mapping):
        return None
    lam, shape = advantage.get("tas_lambda"), advantage.get("tas_shape")
    if not isinstance(lam, int | float) or shape not in _PROFILES:
        return None
    return Shaping(float(lam), str(shape), bool(advantage.get("tas_normalize", False)))


def weights_at(tokens: int, shaping: Shaping) -> np.ndarray:
    """wₜ of each token of a completion, float64 [tokens]; as `avatar_core.algo.tas`."""
    if tokens < 1:
        return np.zeros(0)
    u = np.full(1, -1.0) if tokens == 1 else np.linspace(-1.0, 1.0, tokens)
    weights: np.ndarray = 1 + shaping.lam * _PROFILES[shaping.shape](u)
    return weights / weights.mean() if shaping.normalize else weights


_PROFILES = {
    "parabola": lambda u: u**2,
    "uniform": lambda u: 0 * u,
    "linear-decay": lambda u: (1 - u) / 2,
    "linear-incline": lambda u: (1 + u) / 2,
    "inverse": lambda u: 1 - u**2,
}
"""The part that λ multiplies, by the centred position u ∈ [−1, 1]."""
