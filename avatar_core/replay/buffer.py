"""The replay buffer: groups of completions, drawn by difficulty of their prompt; no I/O."""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from avatar_core.errors import UsageError
from avatar_core.replay.drawing import Draw
from avatar_core.replay.intake import admit
from avatar_core.replay.state import Content, Known, Stored, pack, scored_count, unpack
from avatar_core.replay.tiers import TIERS, Rank, RankedPrompts, Tier, quotas, rank_of
from avatar_core.types import Group


class Drawn(NamedTuple):
    """One completion drawn for replay."""

    group: Group
    member: int
    """Index of the completion in the group."""
    tier: Tier
    """Tier of its prompt at the time of the draw."""
    number: int
    """Insertion number of the group."""
    reuse: int
    """Earlier draws that took from this group."""


@dataclass(slots=True)
class _Prompt:
    """What is known of one prompt."""

    window: deque[float]
    visits: int = 0
    numbers: deque[int] = field(default_factory=deque)
    size: int = 0
    seen_at: Rank | None = None
    stored_at: Rank | None = None


class ReplayBuffer:
    """Keeps scored groups, each prompt's running mean reward R̄(q), and draws completions by tier.

    Sizes count scored completions; those without a reward are kept with their group but never
    drawn. Tiers follow from R̄ when they are asked for, so a stored prompt moves as the policy
    learns it.

    Over capacity the oldest group leaves the tier that is most over its share of the buffer, until
    it fits.

    Args:
        capacity: most scored completions to keep.
        ratios: shares of the easy, medium and hard tier; they sum to 1.
        window: fresh rewards of a prompt that R̄ averages.
        min_fill: scored completions from which on `ready` holds.
        members_per_group: completions taken from one group in a draw, spread over its rewards.
    """

    def __init__(
        self,
        capacity: int = 10_000,
        ratios: Sequence[float] = (0.25, 0.35, 0.40),
        *,
        window: int = 20,
        min_fill: int = 128,
        members_per_group: int = 1,
    ) -> None:
        if min(capacity, window, members_per_group) < 1 or min_fill < 0:
            raise UsageError(
                f"replay: capacity={capacity}, window={window} and members_per_group="
                f"{members_per_group} must be at least 1, min_fill={min_fill} at least 0"
            )
        if len(ratios) != 3 or min(ratios) < 0 or not math.isclose(sum(ratios), 1.0):
            raise UsageError(
                f"replay: ratios={tuple(ratios)} must be three shares (easy, medium, hard) of sum 1"
            )
        self.capacity = capacity
        self.ratios = (float(ratios[0]), float(ratios[1]), float(ratios[2]))
        self.window = window
        self.min_fill = min_fill
        self.members_per_group = members_per_group
        self._clear()

    def _clear(self) -> None:
        self._prompts: dict[str, _Prompt] = {}
        self._groups: dict[int, Group] = {}
        self._reuse: dict[int, int] = {}
        self._ranked = RankedPrompts(self.ratios)
        self._next_number = 0
        self._size = 0

    def __len__(self) -> int:
        """Number of scored completions in the buffer."""
        return self._size

    @property
    def ready(self) -> bool:
        """Whether enough is stored to replay."""
        return self._size >= self.min_fill

    def baseline(self, prompt_id: str) -> float:
        """R̄(q): mean of the prompt's last `window` fresh unhinted rewards; 0.0 when it has none."""
        prompt = self._prompts.get(prompt_id)
        return _mean(prompt.window) or 0.0 if prompt else 0.0

    def visits(self, prompt_id: str) -> int:
        """Groups of this prompt that were ever inserted, hinted ones included."""
        prompt = self._prompts.get(prompt_id)
        return prompt.visits if prompt else 0

    def tier_of(self, prompt_id: str) -> Tier:
        """Tier of a prompt by rank of R̄ among all prompts seen; "hard" without a fresh reward."""
        prompt = self._prompts.get(prompt_id)
        return self._ranked.tier(prompt.seen_at) if prompt and prompt.seen_at else "hard"

    def tier_sizes(self) -> dict[Tier, int]:
        """Stored completions of each tier."""
        return dict(zip(TIERS, self._ranked.sizes(), strict=True))

    def reuse(self, number: int) -> int:
        """Draws that took from the stored group with this insertion number."""
        return self._reuse[number]

    def groups(self) -> Iterator[Stored]:
        """The stored groups, oldest first."""
        for number, group in self._groups.items():
            yield Stored(number, group, self._reuse[number])

    def insert(self, group: Group) -> None:
        """Record a freshly scored group and store it; a group without any reward is only counted.

        Rewards of a hinted group never enter the prompt's window; the group is stored all the same,
        with its flag.

        Raises:
            ValueError: a reward that is not finite, or token ids and log-probs of unequal length.
        """
        group = admit(group)
        rewards = [member.reward for member in group.completions if member.reward is not None]
        prompt = self._prompts.setdefault(group.prompt_id, _Prompt(deque(maxlen=self.window)))
        prompt.visits += 1
        if rewards and not group.hinted:
            prompt.window.extend(rewards)
        if rewards:
            self._keep(Stored(self._next_number, group, 0))
        self._next_number += 1
        self._place(group.prompt_id)
        self._shrink()

    def draw(self, n: int, rng: random.Random) -> list[Drawn]:
        """Draw `n` completions without replacement, split over the tiers by the ratios.

        In a tier prompts are drawn uniformly; each gives `members_per_group` reward-diverse
        completions of its newest group (older groups, and more members, only when the tier runs
        short). What a tier lacks is drawn from the whole buffer.

        Returns:
            `n` draws, or all stored completions when there are fewer.

        Raises:
            ValueError: `n` is negative.
        """
        if n < 0:
            raise ValueError(f"replay: cannot draw {n} completions")
        draw = Draw(self._ranked, self._groups, self._numbers, self.members_per_group, rng)
        for span, quota in zip(self._ranked.spans(), quotas(n, self.ratios), strict=True):
            draw.take(span, quota)
        draw.take(range(len(self._ranked)), n - len(draw.picks))
        drawn = [
            Drawn(
                group=self._groups[pick.number],
                member=pick.member,
                tier=self.tier_of(self._groups[pick.number].prompt_id),
                number=pick.number,
                reuse=self._reuse[pick.number],
            )
            for pick in draw.picks
        ]
        for number in {pick.number for pick in draw.picks}:
            self._reuse[number] += 1
        return drawn

    def state_dict(self) -> dict[str, Any]:
        """Everything but the settings: JSON values, and numpy arrays under "arrays"."""
        prompts = {
            prompt_id: Known(prompt.window, prompt.visits)
            for prompt_id, prompt in self._prompts.items()
        }
        return pack(Content(self._next_number, prompts, list(self.groups())))

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Replace the content; with a smaller window or capacity the oldest leave.

        Raises:
            CheckpointError: the state is not sound; the buffer is left as it was.
        """
        content = unpack(state)
        self._clear()
        self._next_number = content.next_number
        for prompt_id, known in content.prompts.items():
            self._prompts[prompt_id] = _Prompt(deque(known.window, self.window), known.visits)
        for stored in content.groups:
            self._keep(stored)
        for prompt_id in self._prompts:
            self._place(prompt_id)
        self._shrink()

    def _numbers(self, prompt_id: str) -> Sequence[int]:
        """Insertion numbers of a prompt's stored groups, oldest first."""
        return self._prompts[prompt_id].numbers

    def _keep(self, stored: Stored) -> None:
        """Store a group of a known prompt; its rank is brought up to date by `_place`."""
        size = scored_count(stored.group)
        prompt = self._prompts[stored.group.prompt_id]
        prompt.numbers.append(stored.number)
        prompt.size += size
        self._groups[stored.number] = stored.group
        self._reuse[stored.number] = stored.reuse
        self._size += size

    def _place(self, prompt_id: str) -> None:
        """Bring a prompt's rank and stored size up to date."""
        prompt = self._prompts[prompt_id]
        mean = _mean(prompt.window)
        rank = rank_of(prompt_id, mean)
        if prompt.stored_at is not None:
            self._ranked.drop(prompt.stored_at)
        if mean is not None and prompt.seen_at != rank:
            self._ranked.see(prompt.seen_at, rank)
            prompt.seen_at = rank
        prompt.stored_at = rank if prompt.numbers else None
        if prompt.numbers:
            self._ranked.store(rank, prompt.size, prompt.numbers[0])

    def _shrink(self) -> None:
        """Evict groups until the capacity holds."""
        while self._size > self.capacity:
            number = self._ranked.oldest(self._ranked.fullest())
            group = self._groups.pop(number)
            del self._reuse[number]
            size = scored_count(group)
            prompt = self._prompts[group.prompt_id]
            prompt.numbers.popleft()
            prompt.size -= size
            self._size -= size
            self._place(group.prompt_id)


def _mean(window: Sequence[float] | deque[float]) -> float | None:
    """Mean of the rewards, independent of their order; `None` when there are none."""
    return math.fsum(window) / len(window) if window else None
