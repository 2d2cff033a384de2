from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar_core.algo.masks import packed_group_mask, token_positions

ROWS = st.lists(
    st.tuples(st.integers(0, 4), st.lists(st.integers(0, 3), max_size=4)), min_size=1, max_size=4
)


def _packed(rows: list[tuple[int, list[int]]]) -> torch.Tensor:
    """Segments of rows given as (prefix length, branch lengths), right-padded."""
    lines = [
        [0] * prefix + [number for number, size in enumerate(sizes, start=1) for _ in range(size)]
        for prefix, sizes in rows
    ]
    width = max(len(line) for line in lines)
    padded = [line + [-1] * (width - len(line)) for line in lines]
    return torch.tensor(padded, dtype=torch.long).reshape(len(rows), width)


def test_positions_count_tokens_not_columns() -> None:
    mask = torch.tensor([[1, 1, 1, 0, 0], [0, 0, 1, 1, 1], [0, 1, 0, 1, 0], [0, 0, 0, 0, 0]])
    assert token_positions(mask).tolist() == [
        [0, 1, 2, -1, -1],
        [-1, -1, 0, 1, 2],
        [-1, 0, -1, 1, -1],
        [-1, -1, -1, -1, -1],
    ]
    assert torch.equal(token_positions(mask.bool()), token_positions(mask))


def test_positions_refuse_float_masks_and_wrong_ranks() -> None:
    with pytest.raises(TypeError, match="mask has dtype"):
        token_positions(torch.ones(1, 2))
    with pytest.raises(ValueError, match="mask has shape"):
        token_positions(torch.ones(2, dtype=torch.long))


def test_packed_mask_by_hand() -> None:
    # Positions: p0 p1 a0 a1 b0 pad. a sees p and earlier a; b sees p, not a; pad sees itself.
    allowed = packed_group_mask(torch.tensor([[0, 0, 1, 1, 2, -1]]))
    assert allowed.shape == (1, 1, 6, 6)
    assert allowed.dtype == torch.bool
    assert allowed[0, 0].int().tolist() == [
        [1, 0, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0],
        [1, 1, 1, 0, 0, 0],
        [1, 1, 1, 1, 0, 0],
        [1, 1, 0, 0, 1, 0],
        [0, 0, 0, 0, 0, 1],
    ]


@settings(deadline=None, max_examples=60)
@given(ROWS)
def test_packed_mask_agrees_with_the_rule_position_by_position(
    rows: list[tuple[int, list[int]]],
) -> None:
    segments = _packed(rows)
    allowed = packed_group_mask(segments)
    seen = 0
    for row, line in enumerate(segments.tolist()):
        for query, key in itertools.product(range(len(line)), repeat=2):
            if line[query] == -1:
                expected = query == key
            else:
                expected = key <= query and line[key] in (0, line[query])
            assert bool(allowed[row, 0, query, key]) == expected
            seen += 1
    assert seen == len(rows) * segments.shape[1] ** 2
    assert bool(allowed.any(dim=3).all())


def test_packed_branch_sees_what_it_would_see_alone() -> None:
    # Two branches of 2 and 3 behind a prefix of 4: each with the prefix is one causal sequence.
    segments = _packed([(4, [2, 3])])
    allowed = packed_group_mask(segments)[0, 0]
    checked = 0
    for branch, length in ((1, 2), (2, 3)):
        own = ((segments[0] == 0) | (segments[0] == branch)).nonzero().flatten()
        alone = torch.ones(4 + length, 4 + length, dtype=torch.bool).tril()
        assert torch.equal(allowed[own][:, own], alone)
        checked += 1
    assert checked == 2


def test_attention_through_the_mask_is_finite_on_padding() -> None:
    allowed = packed_group_mask(_packed([(2, [1, 2]), (1, [])]))
    query = torch.randn(2, 3, 5, 4, generator=torch.Generator().manual_seed(0))
    out = torch.nn.functional.scaled_dot_product_attention(query, query, query, attn_mask=allowed)
    assert bool(out.isfinite().all())


def test_packed_mask_refuses_wrong_ranks_and_floats() -> None:
    with pytest.raises(ValueError, match="segments has shape"):
        packed_group_mask(torch.zeros(3, dtype=torch.long))
    with pytest.raises(TypeError, match="segments has dtype"):
        packed_group_mask(torch.zeros(1, 3))
