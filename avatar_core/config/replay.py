"""What is kept of earlier groups and how it comes back."""

from __future__ import annotations

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

    @model_validator(mode="after")
    def _can_fill(self) -> ReplayConfig:
        if self.min_fill > self.capacity:
            raise ValueError(
                f"replay.min_fill={self.min_fill} exceeds replay.capacity={self.capacity}; lower it"
            )
        return self
