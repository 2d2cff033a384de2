from __future__ import annotations

import pytest
import torch

from avatar_core.training import muon
from avatar_core.training.muon import BatchedMuon, alike

SHAPES = ((64, 128), (128, 64), (64, 64), (64, 128), (256, 128), (1, 3), (64, 64))


def matrices() -> list[torch.nn.Parameter]:
    torch.manual_seed(0)
    return [torch.nn.Parameter(torch.randn(shape)) for shape in SHAPES]


def test_matrices_of_one_size_are_one_batch_however_they_lie() -> None:
    found = [[tuple(matrix.shape) for matrix in batch] for batch in alike(matrices())]
    assert found == [
        [(64, 128), (128, 64), (64, 128)],
        [(64, 64), (64, 64)],
        [(256, 128)],
        [(1, 3)],
    ]


def test_a_batch_has_an_end_and_a_large_matrix_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    # Two of 64 x 128, and less than one of 256 x 128.
    monkeypatch.setattr(muon, "TOGETHER", 2 * 64 * 128)
    assert [len(batch) for batch in alike(matrices())] == [2, 1, 2, 1, 1]


@pytest.mark.parametrize("together", [1, 1 << 22])
def test_steps_are_those_of_the_library_to_the_bit(
    together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(muon, "TOGETHER", together)
    ours, theirs = matrices(), matrices()
    settings = {"lr": 0.02, "weight_decay": 0.1, "adjust_lr_fn": "match_rms_adamw"}
    mine = BatchedMuon(ours, **settings)  # type: ignore[arg-type]
    plain = torch.optim.Muon(theirs, **settings)  # type: ignore[arg-type]
    for step in range(3):
        for one, other in zip(ours, theirs, strict=True):
            one.grad = torch.randn_like(one) * 10.0**-step
            other.grad = one.grad.clone()
        # A matrix without a gradient stays as it is, with its momentum.
        ours[2].grad = theirs[2].grad = None
        mine.step()
        plain.step()
    for one, other in zip(ours, theirs, strict=True):
        assert torch.equal(one, other)
        assert mine.state[one].keys() == plain.state[other].keys()
        for name, moment in mine.state[one].items():
            assert torch.equal(moment, plain.state[other][name])
