"""What a draw or an eviction asks of every stored group, as columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_COLUMNS: dict[str, type[np.generic]] = {
    "number": np.int64,
    "prompt": np.int64,
    "mean": np.float64,
    "tie": np.int64,
    "step": np.int64,
    "reuse": np.int64,
    "size": np.int64,
    "own": np.float64,
    "signal": np.float64,
    "weight": np.float64,
}
_MATRICES = ("rewards", "scores")
_LEAST_DEAD = 64


class Table:
    """One row per group in order of insertion.

    Columns: insertion `number`; place of the `prompt` among all; the prompt's `mean` reward and
    tie-breaking hash `tie`; `step` of the policy; `reuse`; `size` in scored completions; `own`
    mean reward of a hinted group, else NaN; `signal`, how informative it is now; `weight`, its
    log-weight under `release`. Matrices, [rows, members], NaN where a completion has no reward:
    `rewards`, and `scores` under `release`.

    A removed row stays with `size` 0 until enough have gathered, so that a removal moves nothing.
    """

    def __init__(self) -> None:
        self._rows = 0
        self._dead = 0
        self._columns: dict[str, NDArray[Any]] = {
            name: np.zeros(_LEAST_DEAD, dtype) for name, dtype in _COLUMNS.items()
        }
        for name in _MATRICES:
            self._columns[name] = np.full((_LEAST_DEAD, 1), np.nan)

    def __getitem__(self, name: str) -> NDArray[Any]:
        """A column, [rows], or matrix, [rows, members], removed rows included; it may be set."""
        return self._columns[name][: self._rows]

    def append(
        self, row: Mapping[str, float], rewards: Sequence[float], scores: Sequence[float]
    ) -> None:
        """Add the newest group.

        Args:
            row: value of each column.
            rewards: of its completions, NaN where there is none.
            scores: of its completions, as many.
        """
        self._make_room(len(rewards))
        for name, value in row.items():
            self._columns[name][self._rows] = value
        for name, values in zip(_MATRICES, (rewards, scores), strict=True):
            self._columns[name][self._rows] = np.nan
            self._columns[name][self._rows, : len(values)] = values
        self._rows += 1

    def remove(self, row: int) -> None:
        """Remove a group; rows of others may change."""
        self["size"][row] = 0
        self._dead += 1
        if self._dead > max(_LEAST_DEAD, self._rows // 8):
            self._compact()

    def row_of(self, number: int) -> int:
        """Row of the group with an insertion number; `KeyError` when it is not stored."""
        row = int(np.searchsorted(self["number"], number))
        if row == self._rows or self["number"][row] != number or self["size"][row] == 0:
            raise KeyError(number)
        return row

    def rows_of(self, prompt: int) -> NDArray[np.intp]:
        """Rows of a prompt's groups, oldest first."""
        return np.flatnonzero((self["prompt"] == prompt) & (self["size"] > 0))

    def _compact(self) -> None:
        alive = np.flatnonzero(self["size"])
        for name in self._columns:
            self._columns[name][: len(alive)] = self[name][alive]
        self._rows, self._dead = len(alive), 0

    def _make_room(self, members: int) -> None:
        """Double the rows, or widen the matrices, when the next group would not fit."""
        if self._rows == len(self._columns["number"]):
            for name, old in self._columns.items():
                self._columns[name] = np.concatenate([old, np.zeros_like(old)])
        wider = members - self._columns["rewards"].shape[1]
        if wider > 0:
            for name in _MATRICES:
                old = self._columns[name]
                self._columns[name] = np.pad(old, ((0, 0), (0, wider)), constant_values=np.nan)
