"""Muon for models of many small matrices: those of one size are orthogonalised together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor

TOGETHER = 1 << 22
"""Numbers in one batch of matrices, unless a single one has more."""


class BatchedMuon(torch.optim.Muon):
    """`torch.optim.Muon` to the bit, in a fraction of its calls.

    Its state, groups and update are those of the library with `adjust_lr_fn="match_rms_adamw"` and
    Nesterov momentum; the Newton-Schulz iterations are taken on batches of momenta.
    """

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        """Change every matrix that has a gradient."""
        for group in self.param_groups:
            owed = [matrix for matrix in group["params"] if matrix.grad is not None]
            for batch in alike(owed):
                momenta = [self._momentum(matrix, group["momentum"]) for matrix in batch]
                for matrix, update in zip(batch, orthogonalised(momenta, group), strict=True):
                    matrix.mul_(1 - group["lr"] * group["weight_decay"])
                    matrix.add_(update, alpha=-group["lr"] * 0.2 * max(matrix.shape) ** 0.5)

    def _momentum(self, matrix: Tensor, decay: float) -> Tensor:
        """Take a gradient into the momentum of its matrix; gives what Nesterov's rule follows."""
        state, gradient = self.state[matrix], cast("Tensor", matrix.grad)
        if not state:
            state["momentum_buffer"] = torch.zeros_like(gradient)
        state["momentum_buffer"].lerp_(gradient, 1 - decay)
        return gradient.lerp(state["momentum_buffer"], decay)


def alike(matrices: Sequence[Tensor]) -> Iterator[Sequence[Tensor]]:
    """The matrices in batches of one size, lying or standing, of at most `TOGETHER` numbers."""
    by_size: dict[tuple[int, ...], list[Tensor]] = {}
    for matrix in matrices:
        by_size.setdefault(tuple(sorted(matrix.shape)), []).append(matrix)
    for found in by_size.values():
        most = max(1, TOGETHER // found[0].numel())
        yield from (found[start : start + most] for start in range(0, len(found), most))


def orthogonalised(momenta: Sequence[Tensor], group: Mapping[str, Any]) -> list[Tensor]:
    """Momenta with their singular values brought near 1, in bfloat16.

    With X₀ = M / |M| for each momentum M, lying, every iteration is

        G = X Xᵀ,   X ← a X + (b G + c G²) X

    Args:
        momenta: of one size, lying or standing.
        group: has (a, b, c) as `ns_coefficients`, how many iterations as `ns_steps`, and `eps`, the
            least norm.
    """
    a, b, c = group["ns_coefficients"]
    lying = [_turned(momentum, momentum.shape).bfloat16() for momentum in momenta]
    # One by one, since a norm of many at once is summed in another order.
    x = torch.stack([one / one.norm().clamp(min=group["eps"]) for one in lying])
    for _ in range(group["ns_steps"]):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return [_turned(one, momentum.shape) for one, momentum in zip(x, momenta, strict=True)]


def _turned(matrix: Tensor, shape: torch.Size) -> Tensor:
    """The transpose where a matrix of this shape stands, else the matrix."""
    return matrix.mT if shape[0] > shape[1] else matrix
