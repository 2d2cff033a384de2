"""What is remembered of every prompt ever seen: recent rewards, visits, rank."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from avatar_core.replay.state import Known
from avatar_core.replay.tiers import Rank, RankedPrompts, Tier, rank_of


@dataclass(slots=True)
class Prompt:
    """What is known of one prompt.

    Attributes:
        place: its place in order of first sight.
        rank: by its mean reward; −∞ without a fresh reward.
        window: last fresh unhinted rewards, oldest first.
        visits: groups ever inserted.
    """

    place: int
    rank: Rank
    window: deque[float]
    visits: int = 0

    @property
    def baseline(self) -> float:
        """R̄(q), 0.0 without a fresh reward; independent of the order of the window."""
        return math.fsum(self.window) / len(self.window) if self.window else 0.0


class Prompts:
    """All prompts by id.

    Args:
        shares: of the easy, medium and hard tier.
        window: fresh rewards that R̄ averages.
    """

    def __init__(self, shares: tuple[float, float, float], window: int) -> None:
        self.ranked = RankedPrompts(shares)
        self._window = window
        self._prompts: dict[str, Prompt] = {}

    def get(self, prompt_id: str) -> Prompt | None:
        """A prompt that was seen, else `None`."""
        return self._prompts.get(prompt_id)

    def __getitem__(self, prompt_id: str) -> Prompt:
        """A prompt that was seen; `KeyError` otherwise."""
        return self._prompts[prompt_id]

    def visit(self, prompt_id: str, rewards: Sequence[float]) -> Prompt:
        """Count a visit and take in its fresh unhinted rewards, if any."""
        return self._learn(prompt_id, rewards, 1)

    def restore(self, known: Mapping[str, Known]) -> None:
        """Take in what `known` returned, into an empty collection."""
        for prompt_id, entry in known.items():
            self._learn(prompt_id, entry.window, entry.visits)

    def known(self) -> dict[str, Known]:
        """What has to be saved, in order of first sight."""
        return {
            prompt_id: Known(prompt.window, prompt.visits)
            for prompt_id, prompt in self._prompts.items()
        }

    def tier(self, prompt_id: str) -> Tier:
        """Tier of a prompt by rank of R̄; "hard" without a fresh reward."""
        prompt = self._prompts.get(prompt_id)
        return self.ranked.tier(prompt.rank) if prompt and prompt.window else "hard"

    def _learn(self, prompt_id: str, rewards: Sequence[float], visits: int) -> Prompt:
        prompt = self._prompts.get(prompt_id)
        if prompt is None:
            prompt = Prompt(
                len(self._prompts), rank_of(prompt_id, None), deque(maxlen=self._window)
            )
            self._prompts[prompt_id] = prompt
        prompt.visits += visits
        if rewards:
            known = bool(prompt.window)
            prompt.window.extend(rewards)
            rank = prompt.rank._replace(mean=prompt.baseline)
            if rank != prompt.rank:
                self.ranked.see(prompt.rank if known else None, rank)
                prompt.rank = rank
        return prompt
