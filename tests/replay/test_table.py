from __future__ import annotations

import random

import numpy as np
import pytest

from avatar_core.replay.table import Table


def add(table: Table, number: int, *, prompt: int = 0, members: int = 2) -> None:
    row = {"number": number, "prompt": prompt, "step": number, "reuse": 0, "size": members}
    table.append(row, [float(number)] * members, [0.5] * members)


def test_rows_follow_the_order_of_insertion():
    table = Table()
    for number in (3, 5, 9):
        add(table, number, prompt=number % 2)
    assert [table.row_of(number) for number in (3, 5, 9)] == [0, 1, 2]
    assert table.rows_of(1).tolist() == [0, 1, 2]
    assert table.rows_of(0).tolist() == []
    for missing in (0, 4, 10):
        with pytest.raises(KeyError):
            table.row_of(missing)


def test_a_column_may_be_set():
    table = Table()
    add(table, 0)
    table["reuse"][0] += 2
    assert table["reuse"].tolist() == [2]


def test_wider_groups_leave_the_others_padded():
    table = Table()
    add(table, 0, members=1)
    add(table, 1, members=3)
    add(table, 2, members=2)
    assert np.isnan(table["rewards"]).tolist() == [
        [False, True, True],
        [False, False, False],
        [False, False, True],
    ]
    assert np.nansum(table["rewards"], axis=1).tolist() == [0.0, 3.0, 4.0]
    assert np.nansum(table["scores"], axis=1).tolist() == [0.5, 1.5, 1.0]


def test_what_was_removed_is_gone_and_the_rest_is_found_whatever_is_compacted():
    rng = random.Random(6)
    table, alive = Table(), []
    removed = 0
    for number in range(3_000):
        add(table, number, prompt=number % 7, members=1 + number % 3)
        alive.append(number)
        while len(alive) > 150:
            gone = alive.pop(rng.randrange(len(alive)))
            table.remove(table.row_of(gone))
            removed += 1
            with pytest.raises(KeyError):
                table.row_of(gone)
    assert removed == 2_850
    assert len(table["number"]) <= 150 + 65 + 150 // 7
    stored = table["size"] > 0
    assert table["number"][stored].tolist() == alive
    assert table["rewards"][stored][:, 0].tolist() == [float(number) for number in alive]
    for prompt in range(7):
        found = table["number"][table.rows_of(prompt)].tolist()
        assert found == [number for number in alive if number % 7 == prompt]
