from __future__ import annotations

import multiprocessing
import os
import socket
from multiprocessing.queues import Queue
from typing import Any

import pytest
import torch

from avatar_core.training.parallel import ALONE, World, joined


def test_shares_are_even_stretches_and_hold_everything_once() -> None:
    for size in (1, 2, 3, 7):
        for length in (0, 1, 5, 8):
            shares = [World(rank, size).share(list(range(length))) for rank in range(size)]
            assert [item for share in shares for item in share] == list(range(length))
            assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_alone_nothing_is_changed() -> None:
    weight = torch.ones(2, requires_grad=True)
    (weight * torch.tensor([2.0, 3.0])).sum().backward()
    ALONE.sum_gradients([weight])
    assert weight.grad is not None and weight.grad.tolist() == [2.0, 3.0]
    assert ALONE.gather(["a"]) == ["a"] and ALONE.total([1.5]) == [1.5] and not ALONE.any(False)
    assert ALONE.leads


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def work(rank: int, port: str, results: Queue[Any]) -> None:
    os.environ |= {
        "RANK": str(rank),
        "WORLD_SIZE": "2",
        "LOCAL_RANK": str(rank),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": port,
    }
    with joined() as world:
        weight = torch.zeros(2, requires_grad=True)
        unused = torch.zeros(1, requires_grad=True)
        if rank == 0:
            unused.grad = torch.tensor([5.0])
        weight.grad = torch.tensor([1.0, 10.0]) * (rank + 1)
        world.sum_gradients([weight, unused])
        results.put(
            (
                rank,
                world.gather(world.share(["a", "b", "c"])),
                world.total([0.5, rank]),
                world.any(rank == 1),
                (weight.grad.tolist(), unused.grad.tolist() if unused.grad is not None else None),
            )
        )
        world.wait()


@pytest.mark.timeout(120)
def test_two_processes_gather_in_order_and_sum_gradients() -> None:
    context = multiprocessing.get_context("spawn")
    results: Queue[Any] = context.Queue()
    port = free_port()
    processes = [context.Process(target=work, args=(rank, port, results)) for rank in range(2)]
    for process in processes:
        process.start()
    found = sorted(results.get(timeout=100) for _ in processes)
    for process in processes:
        process.join(20)
        assert process.exitcode == 0
    # Sums: 1 + 2 = 3 and 10 + 20 = 30; the gradient that rank 1 lacks counts as zero: 5 + 0.
    expected = (["a", "b", "c"], [1.0, 1.0], True, ([3.0, 30.0], [5.0]))
    assert [row[1:] for row in found] == [expected, expected]
