"""Packed rows, worked out by hand."""

from __future__ import annotations

import torch

from avatar_core.models.packing import pack_rows


def test_two_rows_by_hand() -> None:
    # Row 0: prefix of 3 at positions 0, 4, 5 (time), completions [11, 12] and [13].
    # Row 1: prefix of 2 at positions 0, 1, completion [21, 22, 23, 24].
    positions = torch.tensor(
        [[[0, 4, 5], [0, 1, 0]], [[0, 3, 5], [0, 1, 0]], [[0, 2, 5], [0, 1, 0]]]
    )
    rows = pack_rows(
        [3, 2],
        positions,
        [[torch.tensor([11, 12]), torch.tensor([13])], [torch.tensor([21, 22, 23, 24])]],
    )
    # Both rows are 3 + 2 + 1 = 2 + 4 = 6 long.
    assert rows.segments.tolist() == [[0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 1, 1]]
    assert rows.token_ids.tolist() == [[0, 0, 0, 11, 12, 13], [0, 0, 21, 22, 23, 24]]
    # Completions begin behind the largest position of their prefix: 5 + 1 and 1 + 1; the second
    # branch of row 0 begins there again.
    assert rows.positions.tolist() == [
        [[0, 4, 5, 6, 7, 6], [0, 1, 2, 3, 4, 5]],
        [[0, 3, 5, 6, 7, 6], [0, 1, 2, 3, 4, 5]],
        [[0, 2, 5, 6, 7, 6], [0, 1, 2, 3, 4, 5]],
    ]
    # The last prefix token (place 2 of row 0, place 1 of row 1) predicts every first token; then
    # each token predicts its next. Row 1 begins at 6 in the flat numbering.
    assert rows.targets.tolist() == [[11, 12, 0, 0], [13, 0, 0, 0], [21, 22, 23, 24]]
    assert rows.mask.tolist() == [
        [True, True, False, False],
        [True, False, False, False],
        [True, True, True, True],
    ]
    assert [row[mask].tolist() for row, mask in zip(rows.predictors, rows.mask, strict=True)] == [
        [2, 3],
        [2],
        [7, 8, 9, 10],
    ]
    assert rows.owners.tolist() == [0, 0, 1]
    assert rows.places.tolist() == [[3, 4, 0, 0], [5, 0, 0, 0], [8, 9, 10, 11]]


def test_shorter_rows_are_padded_on_the_right() -> None:
    positions = torch.tensor([[0, 1], [0, 0]]).expand(3, -1, -1)
    rows = pack_rows([2, 1], positions, [[torch.tensor([5, 6])], [torch.tensor([7])]])
    assert rows.segments.tolist() == [[0, 0, 1, 1], [0, 1, -1, -1]]
    assert rows.token_ids.tolist() == [[0, 0, 5, 6], [0, 7, 0, 0]]
    assert rows.positions[0].tolist() == [[0, 1, 2, 3], [0, 1, 0, 0]]
    # Row 1 begins at 4; its prefix is the one token there.
    assert rows.predictors[1, 0] == 4
