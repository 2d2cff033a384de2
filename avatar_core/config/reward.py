"""What a completion is rewarded for: weights and variants of the reward functions."""

from __future__ import annotations

from typing import Literal

from avatar_core.config.base import Frozen


class RewardConfig(Frozen):
    """Weights and variants of the reward functions."""

    weights: dict[str, float] = {"format": 0.5, "accuracy": 0.5}
    """Weight of each reward function by name; 0 records a reward without letting it count."""
    format_values: Literal["signed", "binary"] = "signed"
    """`signed` scores +1/-1, `binary` 1/0 (release)."""
    numerical: Literal["dense", "strict"] = "dense"
    """`dense` is 1 minus the relative error, `strict` is 1 within 0.001 of it (release)."""
    self_ties: Literal["split", "first"] = "split"
    """With k answers tied: `split` gives each 1/k, `first` 1 to the first stated (release)."""
    files: tuple[str, ...] = ()
    """Python files that register further reward functions; they are run before training."""
