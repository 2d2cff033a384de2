"""AdamW for all that is trained, or Muon for matrices and AdamW for the rest."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from avatar_core.config.train import OptimConfig
from avatar_core.training.muon import BatchedMuon


class MuonAdamW(torch.optim.Optimizer):
    """Two optimisers that share groups, state and steps as if they were one.

    A matrix W of a rows and b columns moves against its orthogonalised momentum:

        M ← 0.95 M + 0.05 ∇W,   W ← W − lr · 0.2 √max(a, b) · NS₅(0.05 ∇W + 0.95 M)

    where five Newton-Schulz iterations NS₅ bring the singular values near 1, so that the mean
    square of an update is like that of AdamW's. A gradient of zero moves nothing. Either list may
    be empty. State is taken up through `checkpoint.restore_trainer`, which fills it in place.
    """

    def __init__(
        self, matrices: Sequence[Tensor], others: Sequence[Tensor], config: OptimConfig
    ) -> None:
        """Divide the parameters among both.

        Args:
            matrices: two-dimensional, changed by Muon (arXiv 2502.16982, section 2.2).
            others: changed by AdamW.
            config: for both.
        """
        self._parts: list[torch.optim.Optimizer] = []
        if matrices:
            self._parts.append(_muon(matrices, config))
        if others:
            self._parts.append(_adamw(others, config))
        super().__init__([group for part in self._parts for group in part.param_groups], {})
        for part in self._parts:
            part.state = self.state

    def step(self) -> None:  # type: ignore[override]
        """Change every parameter that has a gradient."""
        for part in self._parts:
            part.step()


def make_optimiser(
    parameters: Sequence[torch.nn.Parameter],
    config: OptimConfig,
    matrices: Sequence[torch.nn.Parameter] = (),
) -> torch.optim.Optimizer:
    """The optimiser of a run.

    Args:
        parameters: all that is trained.
        config: names the method.
        matrices: those of the parameters that Muon changes where it is the method.
    """
    if config.method == "adamw":
        return _adamw(parameters, config)
    taken = {id(matrix) for matrix in matrices}
    return MuonAdamW(matrices, [one for one in parameters if id(one) not in taken], config)


def parameters_of(optimiser: torch.optim.Optimizer) -> list[Tensor]:
    """The parameters that an optimiser changes, in its order."""
    return [parameter for group in optimiser.param_groups for parameter in group["params"]]


def _muon(matrices: Sequence[Tensor], config: OptimConfig) -> BatchedMuon:
    return BatchedMuon(
        matrices, lr=config.lr, weight_decay=config.weight_decay, adjust_lr_fn="match_rms_adamw"
    )


def _adamw(parameters: Sequence[Tensor], config: OptimConfig) -> torch.optim.AdamW:
    return torch.optim.AdamW(
        parameters,
        lr=config.lr,
        betas=(config.beta1, config.beta2),
        weight_decay=config.weight_decay,
    )
