"""The replay buffer: groups of completions, drawn by difficulty of their prompt; no I/O."""

from __future__ import annotations

import contextlib
import math
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from avatar_core.algo.priority import informativeness, release_scores, softmax_log_weights
from avatar_core.config.replay import ReplayConfig
from avatar_core.errors import CheckpointError, UsageError
from avatar_core.replay.drawing import Draw, Pick
from avatar_core.replay.eviction import next_out, past_use, tier_sizes
from avatar_core.replay.intake import admit, admit_values
from avatar_core.replay.prompts import Prompt, Prompts
from avatar_core.replay.record import Content, Summary, encode, summary_of
from avatar_core.replay.rule import DrawRule
from avatar_core.replay.state import Kept, Snapshot, Stored, digest_of, pack, unpack
from avatar_core.replay.table import Table
from avatar_core.replay.tiers import TIERS, Tier, quotas
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
    """Earlier updates that used the group; see `ReplayBuffer.mark_used`."""
    weight: float = 1.0
    """Importance weight that undoes the preference of the draw; of mean 1 over the draw."""


class ReplayBuffer:
    """Keeps scored groups, each prompt's running mean reward R̄(q), and draws completions by tier.

    Sizes count scored completions; those without a reward are kept with their group but never
    drawn. Tiers follow from R̄ when they are asked for, so a stored prompt moves as the policy
    learns it. A draw changes nothing; `mark_used` says which draws an update was made of.

    Over capacity groups past use leave first, oldest first; then the oldest group of the tier that
    is most over its share of the buffer, until it fits. Everything follows from the calls and the
    chance handed in: buffers that are given the same groups in the same order stay equal, so
    processes that each keep one hold a single buffer between them.

    Args:
        capacity: most scored completions to keep.
        ratios: shares of the easy, medium and hard tier; they sum to 1.
        window: fresh rewards of a prompt that R̄ averages.
        min_fill: scored completions from which on `ready` holds.
        rule: how to draw; instead, its fields can be given one by one.
        settings: fields of `DrawRule`.
    """

    def __init__(
        self,
        capacity: int = 10_000,
        ratios: Sequence[float] = (0.25, 0.35, 0.40),
        *,
        window: int = 20,
        min_fill: int = 128,
        rule: DrawRule | None = None,
        **settings: Any,
    ) -> None:
        if min(capacity, window) < 1 or min_fill < 0:
            raise UsageError(
                f"replay: capacity={capacity} and window={window} must be at least 1, "
                f"min_fill={min_fill} at least 0"
            )
        if len(ratios) != 3 or min(ratios) < 0 or not math.isclose(sum(ratios), 1.0):
            raise UsageError(
                f"replay: ratios={tuple(ratios)} must be three shares (easy, medium, hard) of sum 1"
            )
        self.capacity = capacity
        self.ratios = (float(ratios[0]), float(ratios[1]), float(ratios[2]))
        self.window = window
        self.min_fill = min_fill
        self.rule = rule or DrawRule(**settings)
        self._clear()

    @classmethod
    def from_config(cls, config: ReplayConfig) -> ReplayBuffer:
        """An empty buffer with the settings of a run."""
        return cls(
            config.capacity,
            config.ratios,
            window=config.window,
            min_fill=config.min_fill,
            rule=DrawRule(
                **{field.name: getattr(config, field.name) for field in fields(DrawRule)}
            ),
        )

    def _clear(self) -> None:
        self._prompts = Prompts(self.ratios, self.window)
        self._table = Table()
        self._kept: dict[int, Kept] = {}
        self._codes: NDArray[np.int8] | None = None
        self._next_number = 0
        self._latest_step = 0
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
        return prompt.baseline if prompt else 0.0

    def baseline_count(self, prompt_id: str) -> int:
        """Number of rewards that R̄(q) is the mean of, at most `window`."""
        prompt = self._prompts.get(prompt_id)
        return len(prompt.window) if prompt else 0

    def tier_of(self, prompt_id: str) -> Tier:
        """Tier of a prompt by rank of R̄ among all prompts seen; "hard" without a fresh reward."""
        return self._prompts.tier(prompt_id)

    def tier_sizes(self) -> dict[Tier, int]:
        """Stored completions of each tier."""
        return dict(zip(TIERS, tier_sizes(self._table, self._tiers()), strict=True))

    def reuse(self, number: int) -> int:
        """Updates that used the stored group with this insertion number."""
        return int(self._table["reuse"][self._table.row_of(number)])

    def groups(self, prompt_id: str | None = None) -> Iterator[Stored]:
        """The stored groups, of one prompt or all, oldest first, each read when it is asked for."""
        for kept in self._current(prompt_id):
            yield kept.open()

    def insert(
        self,
        group: Group,
        *,
        advantages: Sequence[float] | None = None,
        kl: Sequence[float] | None = None,
    ) -> None:
        """Record a freshly scored group and store it; a group without any reward is only counted.

        Rewards of a hinted group never enter the prompt's window; the group is stored all the same,
        with its flag.

        Args:
            group: the visit.
            advantages: of its completions in the update they were drawn for; needed by the priority
                "release" with the proxy "advantage".
            kl: mean over the tokens of each completion of log π_rollout − log π_ref; needed by the
                priority "release" unless its weight is 0.

        Raises:
            ValueError: a reward or other number is not finite, token ids and log-probs are of
                unequal length, or what the priority needs is missing.
        """
        content = Content(
            admit(group),
            admit_values(group, "advantages", advantages, needed=self.rule.needs_advantages),
            admit_values(group, "kl", kl, needed=self.rule.needs_kl),
        )
        rewards = [member.reward for member in group.completions if member.reward is not None]
        record = encode(content)
        prompt = self._prompts.visit(group.prompt_id, () if group.hinted else rewards)
        self._latest_step = max(self._latest_step, group.step)
        if rewards:
            self._keep(Kept(self._next_number, 0, None, record), summary_of(content), prompt)
        self._next_number += 1
        self._place(prompt)
        self._shrink()

    def draw(
        self,
        n: int,
        rng: random.Random,
        *,
        step: int | None = None,
        prompts: Sequence[str] = (),
    ) -> list[Drawn]:
        """Draw `n` completions without replacement; the buffer stays as it is.

        Source "any" splits them over the tiers by the ratios; what a tier lacks is drawn from the
        whole buffer. Source "same_prompt" splits them evenly over `prompts`, the first ones get one
        more, and what a prompt lacks is left out. Groups past use are never drawn.

        Priority "uniform" draws prompts evenly and takes their newest group, older ones only when
        that is used up; "release" and "fresh" draw groups by their weight. Each group drawn gives
        `members_per_group` completions: those whose rewards are spread widest, and under "release"
        by their own weight. A group, or under "uniform" a prompt, comes again only when no other is
        left.

        Args:
            n: completions wanted.
            rng: source of chance; the same state gives the same draw.
            step: optimiser step that the draw serves, for ages; `None` is the latest inserted.
            prompts: ids that "same_prompt" draws from.

        Returns:
            `n` draws, or all that can be drawn when those are fewer.

        Raises:
            ValueError: `n` is negative.
        """
        if n < 0:
            raise ValueError(f"replay: cannot draw {n} completions")
        now = self._latest_step if step is None else step
        draw = Draw(self._table, self.rule, now, rng)
        codes = self._tiers()
        if self.rule.source == "same_prompt":
            for place, prompt_id in enumerate(prompts):
                quota = n // len(prompts) + (place < n % len(prompts))
                prompt = self._prompts.get(prompt_id)
                draw.take(quota, self._table["prompt"] == (prompt.place if prompt else -1))
        else:
            for tier, quota in enumerate(quotas(n, self.ratios)):
                draw.take(quota, codes == tier, untouched=True)
            draw.take(n - len(draw.picks))
        return self._drawn(draw.picks, draw.weights(), codes)

    def mark_used(self, drawn: Iterable[Drawn]) -> None:
        """Count an update that trained on what was drawn, once for each group.

        Groups that have left the buffer since are passed over.
        """
        for number in {draw.number for draw in drawn}:
            with contextlib.suppress(KeyError):
                self._table["reuse"][self._table.row_of(number)] += 1

    def state_dict(self) -> dict[str, Any]:
        """Everything but the settings: JSON values, and the groups' bytes under "records"."""
        # Not at insertion, where it would be a twentieth of the time; and once for each group.
        for number, kept in self._kept.items():
            if kept.digest is None:
                self._kept[number] = kept._replace(digest=digest_of(kept.record))
        return pack(
            Snapshot(
                self._next_number, self._latest_step, self._prompts.known(), list(self._current())
            )
        )

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Replace the content; with a smaller window or capacity the oldest leave.

        Raises:
            CheckpointError: the state is not sound, or its groups lack what the priority needs; the
                buffer is left as it was.
        """
        snapshot, summaries = unpack(state)
        self._check_values(summaries)
        self._clear()
        self._next_number, self._latest_step = snapshot.next_number, snapshot.latest_step
        self._prompts.restore(snapshot.prompts)
        for kept, summary in zip(snapshot.kept, summaries, strict=True):
            self._keep(kept, summary, self._prompts[summary.prompt_id])
        for prompt_id in dict.fromkeys(summary.prompt_id for summary in summaries):
            self._place(self._prompts[prompt_id])
        self._shrink()

    def _check_values(self, summaries: Sequence[Summary]) -> None:
        """Refuse loaded groups that were stored for another priority."""
        for needed, name in (
            (self.rule.needs_advantages, "advantages"),
            (self.rule.needs_kl, "kl"),
        ):
            if needed and any(getattr(summary, name) is None for summary in summaries):
                raise CheckpointError(
                    f"replay buffer: groups were stored without {name}; "
                    "load it with the priority it was filled under"
                )

    def _tiers(self) -> NDArray[np.int8]:
        """Tier of each row of the table now, found once after every change."""
        if self._codes is None or len(self._codes) != len(self._table["tie"]):
            self._codes = self._prompts.ranked.codes(self._table["mean"], self._table["tie"])
        return self._codes

    def _current(self, prompt_id: str | None = None) -> Iterator[Kept]:
        """The stored groups, of one prompt or all, with their reuse up to date, oldest first."""
        prompt = self._prompts.get(prompt_id) if prompt_id is not None else None
        if prompt is not None:
            numbers = self._table["number"][self._table.rows_of(prompt.place)].tolist()
        else:
            numbers = list(self._kept) if prompt_id is None else []
        for number in numbers:
            yield self._kept[number]._replace(reuse=self.reuse(number))

    def _drawn(
        self, picks: Sequence[Pick], weights: NDArray[np.float64], codes: NDArray[np.int8]
    ) -> list[Drawn]:
        numbers = self._table["number"]
        rows = {pick.row for pick in picks}
        opened = {row: self._kept[int(numbers[row])].open() for row in sorted(rows)}
        return [
            Drawn(
                group=opened[pick.row].group,
                member=pick.member,
                tier=TIERS[codes[pick.row]],
                number=opened[pick.row].number,
                reuse=int(self._table["reuse"][pick.row]),
                weight=weight,
            )
            for pick, weight in zip(picks, weights.tolist(), strict=True)
        ]

    def _keep(self, kept: Kept, summary: Summary, prompt: Prompt) -> None:
        """Store a group of a known prompt; `_place` fills in what follows from its prompt."""
        scores = self._scores(summary)
        size = sum(not math.isnan(reward) for reward in summary.rewards)
        row = {
            "number": kept.number,
            "prompt": prompt.place,
            "step": summary.step,
            "reuse": kept.reuse,
            "size": size,
            "own": float(np.nanmean(summary.rewards)) if summary.hinted else math.nan,
        }
        if self.rule.priority == "release":
            row["weight"] = softmax_log_weights(scores[None], self.rule.temperature)[0]
        self._table.append(row, summary.rewards, scores.tolist())
        self._codes = None
        self._kept[kept.number] = kept
        self._size += size

    def _scores(self, summary: Summary) -> NDArray[np.float64]:
        """Score of each completion under "release", [G]; NaN where it has no reward."""
        rewards, rule = np.array(summary.rewards), self.rule
        if rule.priority != "release":
            return np.full_like(rewards, np.nan)
        proxy = rewards
        if rule.needs_advantages:
            proxy = np.where(np.isnan(rewards), np.nan, np.array(summary.advantages))
        kl = np.array(summary.kl) if rule.needs_kl else np.zeros_like(rewards)
        return release_scores(proxy, kl, reward_weight=rule.reward_weight, kl_weight=rule.kl_weight)

    def _place(self, prompt: Prompt) -> None:
        """Bring what follows from a prompt up to date in the rows of its groups."""
        rows = self._table.rows_of(prompt.place)
        self._table["mean"][rows] = prompt.rank.mean
        self._table["tie"][rows] = prompt.rank.tie
        self._codes = None
        if self.rule.priority == "fresh":
            # R̄ is of the prompt without its hint: a hinted group is measured by its own mean.
            own = self._table["own"][rows]
            baselines = np.where(np.isnan(own), prompt.baseline, own)
            self._table["signal"][rows] = informativeness(self._table["rewards"][rows], baselines)

    def _shrink(self) -> None:
        """Evict groups until the capacity holds."""
        while self._size > self.capacity:
            spent = past_use(self._table, self.rule, self._latest_step)
            row = next_out(self._table, self._tiers(), self.ratios, spent)
            self._size -= int(self._table["size"][row])
            del self._kept[int(self._table["number"][row])]
            self._table.remove(row)
