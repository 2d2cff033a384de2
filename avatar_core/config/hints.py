"""When a prompt shows its hint, and where."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from avatar_core.config.base import Frozen

HintPlace = Literal["user", "system"]


class HintConfig(Frozen):
    """Hints for prompts that a run is stuck on; only samples that have a hint are concerned."""

    enabled: bool = True
    """Off never shows a hint."""
    rule: Literal["stuck", "zero_streak", "either"] = "stuck"
    """`stuck`: hard tier, low mean reward and a policy that stopped exploring; `zero_streak`
    (release): visits in a row without a right answer; `either` of them."""
    reward_quantile: float = Field(0.2, gt=0, le=1)
    """Share of all prompts, lowest mean reward first, that counts as low under `stuck`."""
    kl_quantile: float = Field(0.5, ge=0, le=1)
    """Quantile of the divergences measured lately up to which one counts as low under `stuck`; 1
    leaves that condition out."""
    kl_window: int = Field(128, ge=1)
    """Divergences measured lately that the quantile is of."""
    kl_to: Literal["behaviour", "reference"] = "behaviour"
    """Divergence from the policy that last sampled the prompt, or from the reference (release)."""
    zero_streak: int = Field(3, ge=1)
    """Visits in a row without a right answer under `zero_streak`."""
    place: HintPlace = "user"
    """Behind the question in the user's turn, or behind the system text (release)."""
    leak: Literal["refuse", "mark"] = "refuse"
    """A hint that holds the reference answer is never shown, or shown and marked in the records."""
    file: str | None = None
    """Hints by sample id, as `avatar replay hint` writes them; None takes those of the data."""
