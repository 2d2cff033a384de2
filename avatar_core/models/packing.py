"""Rows that hold a prompt once and all its completions behind it.

    row i:   prefix | branch 1 | branch 2 | ... | padding

Every branch starts at the position after the prefix and sees the prefix and itself, so its
log-probabilities are those of the plain sequence prefix + branch, and the prefix is computed once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence


class PackedRows(NamedTuple):
    """Index tensors of packed rows: T the longest row, B completions, C the longest of them."""

    segments: Tensor
    """int64 [rows, T]: 0 prefix, 1..G the branch, -1 padding."""
    token_ids: Tensor
    """int64 [rows, T]: completion tokens at their places, 0 elsewhere."""
    positions: Tensor
    """int64 [3, rows, T] rotary positions."""
    predictors: Tensor
    """int64 [B, C]: flat index (row · T + place) of the hidden state that predicts each token."""
    targets: Tensor
    """int64 [B, C]: the completion tokens; 0 in the padding."""
    mask: Tensor
    """bool [B, C]: true on completion tokens."""
    owners: Tensor
    """int64 [B]: the row of each completion."""
    places: Tensor
    """int64 [B, C]: flat index (row · T + place) of each token itself; 0 in the padding."""


def pack_rows(
    prefix_lengths: Sequence[int],
    prefix_positions: Tensor,
    completions: Sequence[Sequence[Tensor]],
) -> PackedRows:
    """Lay out prompts and their completions as packed rows.

    Args:
        prefix_lengths: length of each prefix.
        prefix_positions: int64 [3, rows, prefix] rotary positions, padded on the right.
        completions: for each prompt its completions, int64 [tokens] each.
    """
    segments, token_ids, positions, predictors, places, targets = [], [], [], [], [], []
    for row, (length, branches) in enumerate(zip(prefix_lengths, completions, strict=True)):
        prefix = prefix_positions[:, row, :length]
        start = int(prefix.max()) + 1
        row_segments, row_ids, row_positions = (
            [torch.zeros(length)],
            [torch.zeros(length)],
            [prefix],
        )
        place = length
        for number, branch in enumerate(branches, start=1):
            steps = torch.arange(len(branch))
            row_segments.append(torch.full((len(branch),), number))
            row_ids.append(branch)
            row_positions.append((start + steps).expand(3, -1))
            # The last prefix token predicts the first completion token; each predicts its next.
            predictors.append((row, torch.where(steps == 0, length - 1, place + steps - 1)))
            places.append((row, place + steps))
            targets.append(branch)
            place += len(branch)
        segments.append(torch.cat(row_segments).long())
        token_ids.append(torch.cat(row_ids).long())
        positions.append(torch.cat(row_positions, dim=1).T)
    width = max(len(row) for row in segments)
    return PackedRows(
        segments=pad_sequence(segments, batch_first=True, padding_value=-1),
        token_ids=pad_sequence(token_ids, batch_first=True),
        positions=pad_sequence(positions, batch_first=True).permute(2, 0, 1),
        predictors=_flat(predictors, width),
        targets=pad_sequence(targets, batch_first=True),
        mask=pad_sequence(
            [torch.ones(len(t), dtype=torch.bool) for t in targets], batch_first=True
        ),
        owners=torch.tensor([row for row, _ in places]),
        places=_flat(places, width),
    )


def _flat(places: Sequence[tuple[int, Tensor]], width: int) -> Tensor:
    """Flat indices of places in rows of `width`, one padded row for each completion."""
    return pad_sequence([row * width + columns for row, columns in places], batch_first=True)
