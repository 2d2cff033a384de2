"""One optimiser step, taken only when loss and gradient are finite."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from avatar_core.config.train import OptimConfig
from avatar_core.phases import phase
from avatar_core.training.optimiser import parameters_of
from avatar_core.training.parallel import ALONE, World


class StepOutcome(NamedTuple):
    """What became of an optimiser step."""

    taken: bool
    """False leaves parameters and optimiser state exactly as they were."""
    grad_norm: float | None
    """Norm before clipping; `None` when the step was not taken."""


NOT_TAKEN = StepOutcome(taken=False, grad_norm=None)


def learning_rate(step: int, steps: int, config: OptimConfig) -> float:
    """Learning rate of step `step` (from 1): linear warm-up, then a cosine to zero or constant.

    lr(s) = lr · s / W for s ≤ W = ⌈warmup · steps⌉, then lr · ½(1 + cos π(s − W)/(steps − W + 1)).
    """
    warm = math.ceil(config.warmup * steps)
    if step <= warm:
        return config.lr * step / warm
    if config.schedule == "constant":
        return config.lr
    return config.lr * 0.5 * (1 + math.cos(math.pi * (step - warm) / (steps - warm + 1)))


def stretches(length: int, count: int) -> list[slice]:
    """Cut the places of a list into at most `count` stretches of like size, none of them empty.

    >>> stretches(5, 2)
    [slice(0, 2, None), slice(2, 5, None)]
    """
    cuts = [round(length * place / count) for place in range(count + 1)]
    return [slice(low, high) for low, high in pairwise(cuts) if high > low]


def take_step(
    optimiser: torch.optim.Optimizer,
    loss: Tensor | Iterable[Tensor],
    *,
    lr: float,
    max_norm: float,
    world: World = ALONE,
) -> StepOutcome:
    """Backpropagate a loss and update, or leave everything as it is when a number is not finite.

    Several losses are one in parts that add up to it. Each is backpropagated before the next is
    asked for, so that one graph at a time is held. So do the losses of several processes, whose
    gradients are summed; one that is not finite stops the step in all of them.

    Gradients are looked at after backward: a finite loss can have a gradient that is not, and
    replacing a NaN loss by zero leaves NaN in the gradients (measured). Gradients are cleared in
    every case.
    """
    parameters = parameters_of(optimiser)
    norm = math.inf
    finite = all(_backpropagated(part) for part in ([loss] if isinstance(loss, Tensor) else loss))
    with phase("optimiser"):
        if not world.any(not finite):
            world.sum_gradients(parameters)
            gradients = [p.grad for p in parameters if p.grad is not None]
            norm = float(torch.nn.utils.get_total_norm(gradients))
        if math.isfinite(norm):
            torch.nn.utils.clip_grads_with_norm_(parameters, max_norm, torch.tensor(norm))
            for group in optimiser.param_groups:
                group["lr"] = lr
            optimiser.step()
        optimiser.zero_grad(set_to_none=True)
    return StepOutcome(True, norm) if math.isfinite(norm) else NOT_TAKEN


@phase("backward")
def _backpropagated(loss: Tensor) -> bool:
    """Add the gradient of a loss to the parameters', if it is finite; says whether it is."""
    finite = bool(torch.isfinite(loss.detach()))
    if finite:
        loss.backward()  # type: ignore[no-untyped-call]
    return finite
