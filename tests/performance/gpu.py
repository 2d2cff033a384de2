"""A 7B-shaped thinker with random weights on a GPU: the whole RL step, and the machine's limits.

    python -m tests.performance.gpu [--repeats 3] [--tokens 256] [--group 8] [--out gpu.json]
    python -m tests.performance.gpu --smoke

16 frames of 224 x 224 (50,176 pixels) with 30 s of sound, bf16 with a low-rank adapter on every
linear layer. What is measured:

- the whole RL step against the authors' scheme, both recomputing activations, which the other side
  needs for its copies of the prompt; in bf16 the two round differently, so that tokens part after
  a while: how many are equal is said and not asserted, their number is;
- forward and backward of the group, activations kept: operations of the matrix products that were
  run, attention rectangles counted whole, per second, as a share of the best rate of one large
  matrix product in bf16;
- decoding: the time that reading the text model's weights once at the rate of a large copy would
  take, as a share of the time of a step;
- peak memory of each.

`--smoke` runs the same lines on the CPU with a model of the same layout cut down to two layers and
one head, which shows that they run and nothing else.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from avatar_core.models.policy import Sampling
from avatar_core.models.qwen_omni import QwenOmniPolicy
from avatar_core.models.thinker import parts_of
from tests.performance.authors_scheme import Outcome, Task, authors_step, shared_step, task_of
from tests.performance.gpu_model import (
    FULL,
    GIB,
    PRECISION,
    SMOKE,
    Sizes,
    prompt_of,
    random_policy,
)
from tests.performance.measuring import completions_of, in_turns, ratio, report, spread


class Device:
    """Where it runs: waits for it and asks it for its peak of memory."""

    def __init__(self, name: str) -> None:
        self.device = torch.device(name)
        self._cuda = self.device.type == "cuda"

    def wait(self) -> None:
        """Until all queued work is done."""
        if self._cuda:
            torch.cuda.synchronize()

    def finished(self, work: Callable[[], object]) -> None:
        """Do some work to its end."""
        work()
        self.wait()

    def peak_gib(self, work: Callable[[], object]) -> float | None:
        """Peak of allocated memory during some work; `None` on a CPU."""
        if not self._cuda:
            work()
            return None
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        self.finished(work)
        return round(torch.cuda.max_memory_allocated() / GIB, 2)

    def seconds(self, work: Callable[[], object], repeats: int) -> list[float]:
        """Wall time of each round, after one that is not counted."""
        return in_turns({"work": partial(self.finished, work)}, repeats)["work"]

    def name(self) -> str:
        """Of the accelerator."""
        return torch.cuda.get_device_name() if self._cuda else "cpu"


def matrix_peak(device: Device, size: int) -> float:
    """Operations per second of one square product in bf16, the best of ten."""
    left, right = (torch.randn(size, size, device=device.device, dtype=PRECISION) for _ in range(2))
    return 2 * size**3 / min(device.seconds(lambda: left @ right, 10))


def copy_bandwidth(device: Device, count: int) -> float:
    """Bytes read and written per second by one large copy, the best of ten."""
    source = torch.zeros(count, dtype=torch.uint8, device=device.device)
    target = torch.empty_like(source)
    return 2 * count / min(device.seconds(lambda: target.copy_(source), 10))


def forward_backward(task: Task, completions: list[Tensor]) -> None:
    """Towers, shared prefix, log-probabilities and the gradient of their mean."""
    encoded = task.policy.encode([task.visit.prepared])
    task.policy.logprobs(encoded, [completions]).logprobs.mean().backward()
    task.policy.model.zero_grad(set_to_none=True)


def training_share(task: Task, device: Device, sizes: Sizes) -> dict[str, Any]:
    """Forward and backward of the group against the matrix peak."""
    completions = completions_of(task.policy, sizes.group, sizes.tokens, seed=task.config.seed)
    work = partial(forward_backward, task, completions)
    with FlopCounterMode(display=False) as counter:
        work()
    peak = matrix_peak(device, sizes.matrix)
    seconds = device.seconds(work, sizes.repeats)
    rate = counter.get_total_flops() / statistics.median(seconds)
    return {
        "seconds": spread(seconds),
        "operations": counter.get_total_flops(),
        "matrix_peak": peak,
        "share_of_peak": round(rate / peak, 4),
        "peak_gib": device.peak_gib(work),
    }


def read_per_step(policy: QwenOmniPolicy) -> int:
    """Bytes of the weights that a step of decoding reads: the text model without its table."""
    parts = parts_of(policy.model)
    modules: Iterable[torch.nn.Module] = (parts.text.layers, parts.text.norm, parts.head)
    return sum(weight.nbytes for module in modules for weight in module.parameters())


def decoding_share(task: Task, device: Device, sizes: Sizes) -> dict[str, Any]:
    """A step of decoding the group against reading the weights once."""
    with torch.no_grad():
        encoded = task.policy.encode([task.visit.prepared])
    seeds = [list(range(sizes.group))]
    sides = {
        str(tokens): partial(
            device.finished, partial(task.policy.generate, encoded, Sampling(tokens), seeds)
        )
        for tokens in (1, sizes.tokens)
    }
    seconds = in_turns(sides, sizes.repeats)
    first, all_tokens = (statistics.median(seconds[name]) for name in sides)
    step = (all_tokens - first) / (sizes.tokens - 1)
    bandwidth = copy_bandwidth(device, sizes.copied)
    weights = read_per_step(task.policy)
    return {
        "seconds": {name: spread(values) for name, values in seconds.items()},
        "step_seconds": step,
        "weight_bytes": weights,
        "copy_bandwidth": bandwidth,
        "share_of_floor": round(weights / bandwidth / step, 4),
    }


def agreement(ours: Outcome, theirs: Outcome) -> dict[str, float]:
    """How alike two steps are that were rounded differently; as many tokens is asserted."""
    assert [len(row) for row in ours.tokens] == [len(row) for row in theirs.tokens]
    pairs = [
        pair
        for one, other in zip(ours.tokens, theirs.tokens, strict=True)
        for pair in zip(one, other, strict=True)
    ]
    return {
        "equal_tokens": round(sum(a == b for a, b in pairs) / len(pairs), 4),
        "loss": ours.loss,
        "loss_of_authors_scheme": theirs.loss,
    }


def whole_step(task: Task, device: Device, sizes: Sizes) -> dict[str, Any]:
    """The RL step against the authors' scheme, activations computed again on both sides."""
    task.policy.recompute_activations()
    task = task._replace(recompute=True)
    steps = {"shared": partial(shared_step, task), "authors": partial(authors_step, task)}
    compared = agreement(*(step() for step in steps.values()))
    peaks = {name: device.peak_gib(step) for name, step in steps.items()}
    seconds = in_turns(
        {name: partial(device.finished, step) for name, step in steps.items()}, sizes.repeats
    )
    return {
        "compared": compared,
        "seconds": {name: spread(values) for name, values in seconds.items()},
        "ratio": ratio(seconds, "authors", "shared"),
        "peak_gib": peaks,
    }


def measure(sizes: Sizes, device: Device, seed: int) -> dict[str, Any]:
    """Everything, as a document."""
    begun = time.perf_counter()
    policy = random_policy(sizes.shape, device.device, seed)
    task = task_of(policy, prompt_of(sizes, seed), sizes.tokens, sizes.group, seed)
    document = {
        "claim": "whole RL step of a 7B-shaped model, and its shares of the machine's limits",
        "accelerator": device.name(),
        "seed": seed,
        "parameters": sum(weight.numel() for weight in policy.model.parameters()),
        "prefix": len(task.visit.prepared.input_ids),
        "tokens": sizes.tokens,
        "group": sizes.group,
        "forward_backward": training_share(task, device, sizes),
        "decoding": decoding_share(task, device, sizes),
        "whole_step": whole_step(task, device, sizes),
    }
    return {**document, "minutes": round((time.perf_counter() - begun) / 60, 2)}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--smoke", action="store_true", help="small sizes, on the CPU")
    parser.add_argument("--repeats", type=int)
    parser.add_argument("--tokens", type=int)
    parser.add_argument("--group", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="write the JSON document here too")
    chosen = parser.parse_args(arguments)
    if not chosen.smoke and not torch.cuda.is_available():
        parser.error("no GPU is there; use --smoke to see that the script runs")
    given = {name: getattr(chosen, name) for name in ("repeats", "tokens", "group")}
    sizes = (SMOKE if chosen.smoke else FULL)._replace(
        **{name: value for name, value in given.items() if value is not None}
    )
    report(measure(sizes, Device("cpu" if chosen.smoke else "cuda"), chosen.seed), chosen.out)


if __name__ == "__main__":
    main()
