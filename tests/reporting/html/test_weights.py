from __future__ import annotations

import pytest

from avatar_core.algo.plain import token_weights
from avatar_core.algo.tas import TasShape
from avatar_core.reporting.html.weights import Shaping, shaping_of, weights_at


@pytest.mark.parametrize(
    "shape", ["parabola", "uniform", "linear-decay", "linear-incline", "inverse"]
)
@pytest.mark.parametrize("normalize", [False, True])
def test_the_weights_are_those_of_training(shape: TasShape, normalize: bool) -> None:
    for tokens in (0, 1, 2, 7, 100):
        found = weights_at(tokens, Shaping(0.3, shape, normalize)).tolist()
        assert found == pytest.approx(
            token_weights(tokens, 0.3, shape=shape, normalize=normalize), abs=1e-6
        )


def test_a_configuration_without_shaping_has_none() -> None:
    known = {"advantage": {"tas_lambda": 0.3, "tas_shape": "inverse"}}
    assert shaping_of(known) == Shaping(0.3, "inverse", False)
    others = [
        None,
        {},
        {"advantage": "x"},
        {"advantage": {"tas_lambda": "0.3", "tas_shape": "inverse"}},
        {"advantage": {"tas_lambda": 0.3, "tas_shape": "spiral"}},
    ]
    assert [shaping_of(config) for config in others] == [None] * 5
