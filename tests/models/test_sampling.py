"""Drawing tokens: inversion and truncation by hand, frequencies by a bound derived from n."""

from __future__ import annotations

import math

import pytest
import torch

from avatar_core.models.sampling import draw_tokens, truncate_distribution, uniforms_from_seeds

KEPT = float("-inf")


def test_a_token_is_the_inverse_of_the_cumulative_distribution() -> None:
    # Probabilities 0.1, 0.2, 0.3, 0.4; cumulative 0.1, 0.3, 0.6, 1.
    logits = torch.tensor([0.1, 0.2, 0.3, 0.4]).log()
    uniforms = [0.0, 0.05, 0.15, 0.29, 0.31, 0.59, 0.61, 0.999999999999]
    drawn = draw_tokens(
        logits.expand(len(uniforms), -1),
        torch.tensor(uniforms, dtype=torch.float64),
        temperature=1.0,
        top_k=0,
        top_p=1.0,
    )
    assert drawn.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def test_temperature_raises_probabilities_to_its_inverse() -> None:
    # p^(1/0.5) = 0.01, 0.04, 0.09, 0.16 over 0.30: cumulative 0.033, 0.167, 0.467, 1.
    logits = torch.tensor([0.1, 0.2, 0.3, 0.4]).log()
    drawn = draw_tokens(
        logits.expand(4, -1),
        torch.tensor([0.03, 0.16, 0.46, 0.47], dtype=torch.float64),
        temperature=0.5,
        top_k=0,
        top_p=1.0,
    )
    assert drawn.tolist() == [0, 1, 2, 3]


def test_temperature_zero_takes_the_most_likely_token() -> None:
    logits = torch.tensor([[0.0, 3.0, 2.0], [1.0, 0.0, KEPT]])
    drawn = draw_tokens(
        logits, torch.tensor([0.99, 0.99]).double(), temperature=0, top_k=1, top_p=0.1
    )
    assert drawn.tolist() == [1, 0]


def test_a_forbidden_token_is_never_drawn() -> None:
    # The forbidden token stands first and last, where rounding at 0 and 1 would select it.
    logits = torch.tensor([KEPT, 0.0, 0.0, KEPT])
    uniforms = torch.linspace(0, 1 - 2**-53, 10_001, dtype=torch.float64)
    drawn = draw_tokens(
        logits.expand(len(uniforms), -1), uniforms, temperature=1.0, top_k=0, top_p=1.0
    )
    assert set(drawn.tolist()) == {1, 2}


@pytest.mark.parametrize(
    ("top_k", "kept"),
    [(0, [0, 1, 2, 3, 4]), (1, [1]), (2, [1, 3]), (3, [0, 1, 3, 4]), (4, [0, 1, 3, 4]), (9, None)],
)
def test_top_k_keeps_ties_at_its_border(top_k: int, kept: list[int] | None) -> None:
    # In order: token 1 (5.0), token 3 (4.0), tokens 0 and 4 (2.0 each), token 2 (1.0).
    logits = torch.tensor([[2.0, 5.0, 1.0, 4.0, 2.0]])
    out = truncate_distribution(logits, top_k, 1.0)
    expected = [0, 1, 2, 3, 4] if kept is None else kept
    assert out[0].isfinite().nonzero().flatten().tolist() == expected
    assert torch.equal(out[0, expected], logits[0, expected])


@pytest.mark.parametrize(
    ("top_p", "kept"),
    [
        (0.1, [2]),
        (0.5, [2]),
        (0.51, [0, 2]),
        (0.79, [0, 2]),
        (0.81, [0, 2, 3]),
        (1.0, [0, 1, 2, 3]),
    ],
)
def test_top_p_keeps_the_smallest_set_that_reaches_it(top_p: float, kept: list[int]) -> None:
    # In order: token 2 (0.5), token 0 (0.3), token 3 (0.15), token 1 (0.05); the mass before
    # each is 0, 0.5, 0.8, 0.95, and a token stays while that is below top_p.
    logits = torch.tensor([[0.3, 0.05, 0.5, 0.15]], dtype=torch.float64).log()
    out = truncate_distribution(logits, 0, top_p)
    assert out[0].isfinite().nonzero().flatten().tolist() == kept


def test_top_k_comes_before_top_p() -> None:
    # The two most likely, 0.5 and 0.3, become 0.625 and 0.375; top_p = 0.6 then keeps the first
    # alone, whereas of all four 0.5 does not reach it and two would stay.
    logits = torch.tensor([[0.3, 0.05, 0.5, 0.15]], dtype=torch.float64).log()
    assert truncate_distribution(logits, 2, 0.6)[0].isfinite().tolist() == [
        False,
        False,
        True,
        False,
    ]
    assert truncate_distribution(logits, 0, 0.6)[0].isfinite().sum() == 2


def test_frequencies_are_the_probabilities() -> None:
    # The standard deviation of a frequency is at most √(p(1 − p)/n); five of them are exceeded
    # once in two million draws of a normal variable, and the seeds are fixed.
    draws = 40_000
    probabilities = torch.tensor([0.5, 0.25, 0.125, 0.0625, 0.0625])
    uniforms = uniforms_from_seeds(range(draws // 8), 8).flatten()
    drawn = draw_tokens(
        probabilities.log().expand(draws, -1), uniforms, temperature=1.0, top_k=0, top_p=1.0
    )
    counts = torch.bincount(drawn, minlength=5)
    assert counts.sum() == draws
    for count, p in zip(counts.tolist(), probabilities.tolist(), strict=True):
        assert abs(count / draws - p) <= 5 * math.sqrt(p * (1 - p) / draws)


def test_logits_that_are_not_numbers_still_name_a_token() -> None:
    logits = torch.full((2, 4), float("nan"))
    uniforms = torch.tensor([0.0, 0.9]).double()
    for temperature in (0.0, 1.0):
        drawn = draw_tokens(logits, uniforms, temperature=temperature, top_k=2, top_p=0.9)
        assert bool(((drawn >= 0) & (drawn < 4)).all())


def test_a_row_of_uniforms_hangs_on_its_own_seed() -> None:
    together = uniforms_from_seeds([3, 2**63 - 1, 3], 6)
    assert together.shape == (3, 6)
    assert together.dtype == torch.float64
    assert bool(((together >= 0) & (together < 1)).all())
    assert torch.equal(together[0], together[2])
    assert torch.equal(together[1:2], uniforms_from_seeds([2**63 - 1], 6))
    assert not torch.equal(together[0], together[1])
    # More tokens continue a row and do not change its beginning.
    assert torch.equal(uniforms_from_seeds([3], 40)[0, :6], together[0])
    assert uniforms_from_seeds([], 6).shape == (0, 6)
