"""One draw: groups by priority within a stratum, then completions of each."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from itertools import repeat
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from avatar_core.algo.priority import (
    Floats,
    Indices,
    fresh_log_weights,
    gumbel_top_k,
    importance_weights,
    inclusion_probabilities,
)
from avatar_core.replay.eviction import past_use
from avatar_core.replay.members import diverse_members, likely_members
from avatar_core.replay.rule import DrawRule
from avatar_core.replay.table import Table

Mask = NDArray[np.bool_]

SIGNAL_FLOOR = 0.01
"""Added to how informative a group is, in units of reward: one that is not stays drawable."""
WEIGHT_BOUND = 10.0
"""Bound of the importance weight before it is normalised over the draw."""


class Pick(NamedTuple):
    """One completion that was drawn."""

    row: int
    """Row of its group."""
    member: int
    """Its index in the group."""


class Draw:
    """A draw in progress; what it took is not taken again.

    Attributes:
        picks: what was drawn so far.

    Args:
        table: the stored groups; not changed.
        rule: how to draw.
        step: optimiser step that the draw serves, for ages.
        rng: source of chance.
    """

    def __init__(self, table: Table, rule: DrawRule, step: int, rng: random.Random) -> None:
        self.picks: list[Pick] = []
        self._drawable: Mask = (table["size"] > 0) & ~past_use(table, rule, step)
        self._table = table
        self._rule = rule
        self._rng = rng
        self._chance = np.random.default_rng(rng.getrandbits(128))
        self._log_weights = _log_weights(table, rule, step)
        self._taken: dict[int, set[int]] = {}
        self._given: Counter[int] = Counter()
        self._probabilities: list[float] = []
        self._shares: list[float] = []

    def weights(self) -> Floats:
        """Importance weight of each pick, of mean 1; all 1 unless the priority is "fresh"."""
        if self._rule.priority != "fresh":
            return np.ones(len(self.picks))
        probabilities, shares = np.array(self._probabilities), np.array(self._shares)
        return importance_weights(probabilities, shares, bound=WEIGHT_BOUND)

    def take(self, quota: int, stratum: Mask | None = None, *, untouched: bool = False) -> None:
        """Draw up to `quota` completions; who gave least in this draw is first.

        Args:
            quota: completions wanted.
            stratum: rows to draw from, [rows]; all by default.
            untouched: nothing was taken yet from these rows or their prompts.
        """
        if quota < 1:
            return
        drawable = self._drawable if stratum is None else self._drawable & stratum
        rows: Indices = np.flatnonzero(drawable)
        goal = len(self.picks) + quota
        while len(self.picks) < goal:
            if not untouched:
                rows = self._with_some_left(rows)
            if len(rows) == 0:
                return
            self._round(self._candidates(rows, untouched), goal)
            untouched = False

    def _with_some_left(self, rows: Indices) -> Indices:
        size = self._table["size"]
        empty = [row for row, members in self._taken.items() if len(members) == size[row]]
        left: Indices = rows[~np.isin(rows, empty)] if empty else rows
        return left

    def _candidates(self, rows: Indices, untouched: bool) -> Indices:
        """Of some rows with completions left, those that the next round draws from."""
        if self._rule.priority == "uniform":
            prompts: Indices = self._table["prompt"][rows]
            newest: Indices = np.empty(int(prompts.max()) + 1, np.intp)
            # Rows rise, and of several values for one place an assignment leaves the last.
            newest[prompts] = rows
            rows = rows[newest[prompts] == rows]
        if untouched or not self._given:
            return rows
        # Drawn evenly, a prompt is the unit; by weight, a group is.
        units: Indices = self._table["prompt"][rows] if self._rule.priority == "uniform" else rows
        known = np.isin(units, list(self._given))
        if not known.all():
            return rows[~known]
        given = np.array([self._given[unit] for unit in units.tolist()])
        least: Indices = rows[given == given.min()]
        return least

    def _round(self, rows: Indices, goal: int) -> None:
        """Draw from each row at most once, until the goal is reached."""
        count = -(-(goal - len(self.picks)) // self._rule.members_per_group)
        for row, probability in self._choose(rows, min(count, len(rows))):
            members = self._members(row, goal - len(self.picks))
            self.picks += [Pick(row, member) for member in members]
            self._probabilities += [probability] * len(members)
            self._shares += [min(count / len(rows), 1.0)] * len(members)
            self._taken.setdefault(row, set()).update(members)
            uniform = self._rule.priority == "uniform"
            self._given[int(self._table["prompt"][row]) if uniform else row] += 1

    def _choose(self, rows: Indices, count: int) -> Iterator[tuple[int, float]]:
        """Rows drawn without replacement, each with the probability that it was."""
        if self._rule.priority == "uniform":
            places = self._chance.choice(len(rows), count, replace=False)
            return zip(rows[places].tolist(), repeat(count / len(rows)), strict=False)
        log_weights = self._log_weights[rows]
        # The negative logarithm of a standard exponential variable is a standard Gumbel variable.
        noise = -np.log(self._chance.standard_exponential(len(rows)))
        top = gumbel_top_k(log_weights, noise, count)
        chances = inclusion_probabilities(log_weights[top.places], top.threshold)
        return zip(rows[top.places].tolist(), chances.tolist(), strict=True)

    def _members(self, row: int, most: int) -> list[int]:
        count = min(self._rule.members_per_group, most)
        taken = self._taken.get(row, set())
        if self._rule.priority == "release":
            scores = self._table["scores"][row]
            return likely_members(scores, self._rule.temperature, count, taken, self._chance)
        return diverse_members(self._table["rewards"][row], count, taken, self._rng)


def _log_weights(table: Table, rule: DrawRule, step: int) -> Floats:
    """Log-weight of each row, [rows]; empty when groups are not weighed."""
    if rule.priority == "uniform":
        return np.empty(0)
    if rule.priority == "release":
        weights: Floats = table["weight"]
        return weights
    # A run resumed from an earlier step may hold groups of later ones; they count as new.
    ages = np.maximum(step - table["step"], 0)
    return fresh_log_weights(
        table["signal"], ages, table["reuse"], tau=rule.tau, floor=SIGNAL_FLOOR
    )
