from __future__ import annotations

from typing import get_args

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar_core.algo.tas import TasShape, tas_weights

SHAPES: tuple[TasShape, ...] = get_args(TasShape)


def _row(*bits: int) -> torch.Tensor:
    return torch.tensor([bits])


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        # L = 5, λ = 0.4: t̃ = 0, ¼, ½, ¾, 1; (2t̃ − 1)² = 1, ¼, 0, ¼, 1.
        ("parabola", [1.4, 1.1, 1.0, 1.1, 1.4]),
        ("uniform", [1.0, 1.0, 1.0, 1.0, 1.0]),
        ("linear-decay", [1.4, 1.3, 1.2, 1.1, 1.0]),
        ("linear-incline", [1.0, 1.1, 1.2, 1.3, 1.4]),
        ("inverse", [1.0, 1.3, 1.4, 1.3, 1.0]),
    ],
)
def test_weights_of_five_tokens(shape: TasShape, expected: list[float]) -> None:
    weights = tas_weights(_row(0, 1, 1, 1, 1, 1, 0), 0.4, shape=shape)
    torch.testing.assert_close(weights, torch.tensor([[0.0, *expected, 0.0]]))


def test_paper_setting_peaks_at_one_point_three_and_bottoms_at_one() -> None:
    weights = tas_weights(torch.ones(1, 101, dtype=torch.bool), 0.3)[0]
    assert weights.dtype == torch.float32
    assert weights[0] == weights[-1] == torch.tensor(1.3)
    assert weights[50] == 1.0
    assert torch.equal(weights, weights.flip(0))


@pytest.mark.parametrize("length", [2, 3, 4, 7, 64, 1000])
def test_mean_weight_of_the_parabola(length: int) -> None:
    # Σ (2t/(L−1) − 1)² over t < L is L (L+1) / (3 (L−1)).
    weights = tas_weights(torch.ones(1, length, dtype=torch.long), 0.3)
    expected = 1 + 0.3 * (length + 1) / (3 * (length - 1))
    assert weights.double().mean().item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ("parabola", 1.3),
        ("uniform", 1.0),
        ("linear-decay", 1.3),
        ("linear-incline", 1.0),
        ("inverse", 1.0),
    ],
)
def test_a_single_token_counts_as_the_first(shape: TasShape, expected: float) -> None:
    mask = _row(0, 0, 1)
    torch.testing.assert_close(tas_weights(mask, 0.3, shape=shape)[0, 2], torch.tensor(expected))
    assert tas_weights(mask, 0.3, shape=shape, normalize=True)[0].tolist() == [0.0, 0.0, 1.0]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("normalize", [False, True])
def test_rows_without_tokens_are_zero(shape: TasShape, normalize: bool) -> None:
    mask = torch.tensor([[0, 0, 0], [1, 1, 0]])
    weights = tas_weights(mask, 0.3, shape=shape, normalize=normalize)
    assert weights[0].tolist() == [0.0, 0.0, 0.0]
    assert bool((weights[1, :2] > 0).all())
    assert tas_weights(mask[:, :0], 0.3, shape=shape, normalize=normalize).shape == (2, 0)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("normalize", [False, True])
def test_lambda_zero_is_exactly_one(shape: TasShape, normalize: bool) -> None:
    mask = torch.tensor([[1, 1, 1, 1, 1, 1, 1], [0, 0, 1, 1, 1, 0, 0]])
    weights = tas_weights(mask, 0.0, shape=shape, normalize=normalize)
    assert torch.equal(weights, mask.float())


@settings(deadline=None, max_examples=100)
@given(
    length=st.integers(1, 40),
    left=st.integers(0, 10),
    right=st.integers(0, 10),
    lam=st.floats(0, 5),
    shape=st.sampled_from(SHAPES),
    normalize=st.booleans(),
)
def test_padding_changes_nothing(
    length: int, left: int, right: int, lam: float, shape: TasShape, normalize: bool
) -> None:
    alone = tas_weights(_row(*[1] * length), lam, shape=shape, normalize=normalize)
    mask = _row(*[0] * left, *[1] * length, *[0] * right)
    padded = tas_weights(mask, lam, shape=shape, normalize=normalize)
    if normalize:  # a sum over more columns is rounded in another order
        torch.testing.assert_close(padded[mask.bool()], alone[0], rtol=1e-6, atol=0)
    else:
        assert torch.equal(padded[mask.bool()], alone[0])
    assert not padded[~mask.bool()].any()


@settings(deadline=None, max_examples=100)
@given(length=st.integers(1, 200), lam=st.floats(0, 5), shape=st.sampled_from(SHAPES))
def test_weights_stay_in_range_and_normalise_to_mean_one(
    length: int, lam: float, shape: TasShape
) -> None:
    mask = _row(*[1] * length)
    weights = tas_weights(mask, lam, shape=shape)
    assert weights.min() >= 1.0
    assert weights.max() <= 1.0 + lam + 1e-6
    normalised = tas_weights(mask, lam, shape=shape, normalize=True)
    assert normalised.double().mean().item() == pytest.approx(1.0, abs=1e-6)
    ratio = normalised / weights
    torch.testing.assert_close(ratio, ratio[:, :1].expand_as(ratio))


@settings(deadline=None, max_examples=50)
@given(length=st.integers(1, 60), lam=st.floats(0, 5))
def test_decay_and_incline_mirror_each_other(length: int, lam: float) -> None:
    mask = _row(*[1] * length)
    decay = tas_weights(mask, lam, shape="linear-decay")
    incline = tas_weights(mask, lam, shape="linear-incline")
    if length > 1:
        assert torch.equal(decay.flip(1), incline)
    torch.testing.assert_close(decay + incline, torch.full_like(decay, 2 + lam))


def test_rows_do_not_see_each_other() -> None:
    # A long neighbour must not stretch a short completion's positions.
    mask = torch.tensor([[1, 1, 1, 0, 0, 0], [1, 1, 1, 1, 1, 1]])
    weights = tas_weights(mask, 0.3)
    torch.testing.assert_close(weights[0], torch.tensor([1.3, 1.0, 1.3, 0.0, 0.0, 0.0]))
    assert torch.equal(weights[:1, :3], tas_weights(mask[:1, :3], 0.3))


@pytest.mark.parametrize("lam", [-0.1, float("nan"), float("inf")])
def test_refuses_a_lambda_that_is_no_weight(lam: float) -> None:
    with pytest.raises(ValueError, match="lam is"):
        tas_weights(_row(1, 1), lam)


def test_refuses_unknown_shapes() -> None:
    with pytest.raises(ValueError, match="shape is 'u': pass one of parabola, uniform"):
        tas_weights(_row(1, 1), 0.3, shape="u")  # type: ignore[arg-type]


def test_leaves_its_input_alone() -> None:
    mask = torch.tensor([[0, 1, 1]])
    before = mask.clone()
    tas_weights(mask, 0.3, normalize=True)
    assert torch.equal(mask, before)
