from __future__ import annotations

import numpy as np
import pytest

from avatar_core.records import GroupRow
from avatar_core.reporting.shaping import token_statistics
from tests.run_records import group_row


def weights_of(tokens: int) -> list[float]:
    return [2.0] + [1.0] * (tokens - 1)


def with_tokens(row: GroupRow, *lengths: int) -> GroupRow:
    completions = tuple(
        item.model_copy(update={"tokens": length})
        for item, length in zip(row.completions, lengths, strict=True)
    )
    return row.model_copy(update={"completions": completions})


def test_every_token_counts_once() -> None:
    rows = [with_tokens(group_row([1.0, 0.0], [0.1, -0.6]), 3, 2)]
    found = token_statistics(rows, "fresh", weights_of)
    # wA: 0.2, 0.1, 0.1 and -1.2, -0.6; mean -1.4 / 5; mean square (0.06 + 1.8) / 5.
    assert found.count == 5
    assert found.weight_mean == pytest.approx(7 / 5)
    assert found.mean == pytest.approx(-0.28)
    assert found.std == pytest.approx((0.372 - 0.28**2) ** 0.5)
    assert (found.within_0_1, found.within_0_25, found.beyond_1) == (2 / 5, 3 / 5, 1 / 5)


def test_the_sums_agree_with_all_values_written_out() -> None:
    rng = np.random.default_rng(0)
    rows, values = [], []
    for _ in range(40):
        drawn = [float(a) for a in rng.normal(0, 0.5, 4)]
        lengths = [int(n) for n in rng.integers(1, 6, 4)]
        rows.append(with_tokens(group_row([1.0, 0.0, 0.0, 0.0], [*drawn]), *lengths))
        values += [w * a for a, n in zip(drawn, lengths, strict=True) for w in weights_of(n)]
    found = token_statistics(rows, "all", weights_of)
    flat = np.array(values)
    assert found.count == len(flat) > 300
    assert (found.mean, found.std) == pytest.approx((flat.mean(), flat.std()))
    shares = (np.abs(flat) <= 0.1, np.abs(flat) <= 0.25, np.abs(flat) > 1)
    assert (found.within_0_1, found.within_0_25, found.beyond_1) == pytest.approx(
        tuple(share.mean() for share in shares)
    )


def test_completions_without_tokens_or_advantage_are_left_out() -> None:
    rows = [with_tokens(group_row([1.0, 0.0], [None, 0.5]), 3, 0)]
    assert token_statistics(rows, "all", weights_of).count == 0
    assert token_statistics(rows, "all", weights_of).mean is None
    assert token_statistics([], "replayed", weights_of).std is None


def test_a_source_has_its_own_tokens() -> None:
    rows = [group_row([1.0], [0.5]), group_row([1.0], [0.5], source="replayed")]
    counts = [token_statistics(rows, s, weights_of).count for s in ("fresh", "replayed", "all")]
    assert counts == [5, 5, 10]
