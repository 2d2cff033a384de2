"""What is kept of earlier groups and how it comes back."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import Field, model_validator

from avatar_core.config.base import Frozen


class ReplayConfig(Frozen):
    """The stratified replay buffer."""

    enabled: bool = True
    """Off trains on fresh completions alone."""
    capacity: int = Field(10_000, ge=1)
    """Completions kept."""
    min_fill: int = Field(128, ge=1)
    """Completions stored before replay starts."""
    ratios: tuple[float, float, float] = (0.25, 0.35, 0.40)
    """Shares of the tiers easy, medium, hard."""
    window: int = Field(20, ge=1)
    """Fresh rewards averaged into a prompt's baseline."""
    members_per_group: int = Field(1, ge=1)
    """Completions taken from each replayed group."""
    source: Literal["any", "same_prompt"] = "any"
    """`any` draws by tier from all prompts, `same_prompt` from earlier visits of the step's own."""
    priority: Literal["uniform", "release", "fresh"] = "uniform"
    """`uniform` draws prompts evenly and takes their newest group, `release` takes completions by a
    softmax of their score, `fresh` groups that are informative, recent and little used."""
    proxy: Literal["advantage", "reward"] = "advantage"
    """What `release` scores: the advantage at storage (the authors' code), or the reward."""
    reward_weight: float = Field(1.0, ge=0)
    """Weight of the proxy in the score of `release`."""
    kl_weight: float = Field(0.1, ge=0)
    """Weight of the mean KL divergence to the reference at storage, subtracted from that score."""
    temperature: float = Field(1.0, gt=0)
    """Softmax temperature of `release`."""
    tau: float = Field(64.0, gt=0)
    """Optimiser steps in which the weight of a group falls to 1/e under `fresh`."""
    max_age: int | None = Field(None, ge=0)
    """Optimiser steps after which a group is no longer drawn; None sets no limit."""
    max_reuse: int | None = Field(None, ge=1)
    """Updates after which a group is no longer drawn; None sets no limit."""

    inject_success: bool = False
    """A prompt without any right answer in this step is trained on one stored right answer too."""

    @model_validator(mode="after")
    def _adds_up(self) -> ReplayConfig:
        if self.min_fill > self.capacity:
            raise ValueError(
                f"replay.min_fill={self.min_fill} exceeds replay.capacity={self.capacity}; lower it"
            )
        if min(self.ratios) < 0 or not math.isclose(sum(self.ratios), 1.0):
            raise ValueError(
                f"replay.ratios={list(self.ratios)} must be three shares of sum 1 (easy, medium, "
                "hard); correct them"
            )
        return self
