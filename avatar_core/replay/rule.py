"""The rule of a draw: where completions come from, which are preferred, which are past use."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, overload

import numpy as np
from numpy.typing import NDArray

from avatar_core.errors import UsageError

Priority = Literal["uniform", "release", "fresh"]
Proxy = Literal["advantage", "reward"]
Source = Literal["any", "same_prompt"]


@dataclass(frozen=True, slots=True)
class DrawRule:
    """Settings of a draw; `avatar_core.config.replay` says what each is for.

    Attributes:
        members_per_group: completions taken from one group in a round of the draw.
        source: "any" prompt by tier, or the "same_prompt" as those visited now.
        priority: "uniform", "release" or "fresh".
        proxy: what "release" scores, "advantage" or "reward" at storage.
        reward_weight: of the proxy in that score.
        kl_weight: of the mean KL to the reference at storage in that score.
        temperature: of that score's softmax.
        tau: optimiser steps in which a weight under "fresh" falls to 1/e.
        max_age: optimiser steps after which a group is past use; `None` for no limit.
        max_reuse: updates after which a group is past use; `None` for no limit.
    """

    members_per_group: int = 1
    source: Source = "any"
    priority: Priority = "uniform"
    proxy: Proxy = "advantage"
    reward_weight: float = 1.0
    kl_weight: float = 0.1
    temperature: float = 1.0
    tau: float = 64.0
    max_age: int | None = None
    max_reuse: int | None = None

    def __post_init__(self) -> None:
        """Refuse numbers outside their range with `UsageError`."""
        least: dict[str, float | None] = {
            "members_per_group": self.members_per_group - 1,
            "reward_weight": self.reward_weight,
            "kl_weight": self.kl_weight,
            "max_age": self.max_age,
            "max_reuse": None if self.max_reuse is None else self.max_reuse - 1,
        }
        wrong = [name for name, value in least.items() if value is not None and not value >= 0]
        wrong += [name for name in ("temperature", "tau") if not getattr(self, name) > 0]
        if wrong:
            raise UsageError(f"replay: {wrong[0]}={getattr(self, wrong[0])} is too small; raise it")

    @overload
    def spent(self, age: int, reuse: int) -> bool: ...

    @overload
    def spent(self, age: NDArray[np.int64], reuse: NDArray[np.int64]) -> NDArray[np.bool_]: ...

    def spent(
        self, age: int | NDArray[np.int64], reuse: int | NDArray[np.int64]
    ) -> bool | NDArray[np.bool_]:
        """Whether a group is past use, so that it is never drawn; or many groups, [groups].

        Args:
            age: optimiser steps since it was sampled.
            reuse: updates that used it.
        """
        oldest = math.inf if self.max_age is None else self.max_age
        most = math.inf if self.max_reuse is None else self.max_reuse
        return (age > oldest) | (reuse >= most)

    @property
    def unlimited(self) -> bool:
        """Whether no group is ever past use."""
        return self.max_age is None and self.max_reuse is None

    @property
    def needs_advantages(self) -> bool:
        """Whether groups must be stored with the advantages of their completions."""
        return self.priority == "release" and self.proxy == "advantage"

    @property
    def needs_kl(self) -> bool:
        """Whether groups must be stored with the KL of their completions to the reference."""
        return self.priority == "release" and self.kl_weight > 0
