from __future__ import annotations

import multiprocessing
import os
import signal
import socket
from collections.abc import Callable
from multiprocessing.queues import Queue
from typing import Any

import pytest
import torch

from avatar_core.errors import (
    AvatarError,
    CheckpointError,
    DiskError,
    MediaError,
    ServiceError,
    Stopped,
    memory_errors,
)
from avatar_core.training.parallel import ALONE, World, joined_processes


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


def launched(rank: int, port: str) -> None:
    """Set what a launcher sets for one of two processes."""
    os.environ |= {
        "RANK": str(rank),
        "WORLD_SIZE": "2",
        "LOCAL_RANK": str(rank),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": port,
    }


def shared(rank: int, port: str) -> Any:
    """What the ways of sharing give."""
    launched(rank, port)
    with joined_processes() as world:
        weight = torch.zeros(2, requires_grad=True)
        unused = torch.zeros(1, requires_grad=True)
        if rank == 0:
            unused.grad = torch.tensor([5.0])
        weight.grad = torch.tensor([1.0, 10.0]) * (rank + 1)
        world.sum_gradients([weight, unused])
        return (
            world.gather(world.share(["a", "b", "c"])),
            world.total([0.5, rank]),
            world.any(rank == 1),
            (weight.grad.tolist(), unused.grad.tolist() if unused.grad is not None else None),
        )


def one_cannot_write(world: World) -> None:
    """Rank 1 fails where rank 0 shares what it has; rank 0 then tries to share again."""
    if world.rank == 1:
        raise DiskError("disk full on 1")
    try:
        world.gather(["rows"])
    except DiskError:
        world.wait()


def the_first_cannot_read(world: World) -> None:
    """Rank 0 fails before it lets the other through."""
    with world.lead_first():
        raise MediaError("clip.mp4", f"damaged for {world.rank}")


def both_fail(world: World) -> None:
    raise (CheckpointError, DiskError)[world.rank](f"of {world.rank}")


def memory_runs_out(world: World) -> None:
    """Rank 1 fails after the others have begun to sum gradients."""
    with memory_errors("use less"):
        if world.rank == 1:
            raise MemoryError
        weight = torch.zeros(2, requires_grad=True)
        weight.grad = torch.ones(2)
        world.sum_gradients([weight])


def the_first_fails_last(world: World) -> None:
    """Rank 1 has ended its work and waits for the end."""
    if world.leads:
        raise ServiceError("judge down for 0")
    world.wait()


def a_signal_comes_to_both(world: World) -> None:
    raise Stopped(signal.SIGTERM, f"stopped {world.rank}")


FAILURES: dict[Callable[[World], None], list[tuple[str, str, int]]] = {
    one_cannot_write: [("DiskError", "disk full on 1", 5)] * 2,
    the_first_cannot_read: [("MediaError", "clip.mp4: damaged for 0", 2)] * 2,
    both_fail: [("CheckpointError", "of 0", 4)] * 2,
    memory_runs_out: [("OutOfMemoryError", "memory ran out (MemoryError); use less", 8)] * 2,
    the_first_fails_last: [("ServiceError", "judge down for 0", 9)] * 2,
    a_signal_comes_to_both: [("Stopped", f"stopped {rank}", 143) for rank in range(2)],
}


def failed(rank: int, port: str, fail: Callable[[World], None]) -> tuple[str, str, int] | None:
    """The error that a process ends with."""
    launched(rank, port)
    try:
        with joined_processes() as world:
            fail(world)
    except AvatarError as error:
        return type(error).__name__, str(error), error.exit_code
    return None


def one_is_gone(world: World) -> None:
    """Rank 1 is killed; rank 0 fails with nobody to tell."""
    world.wait()
    if world.rank == 1:
        os._exit(0)
    raise DiskError("disk full")


def work(rank: int, ports: list[str], results: Queue[Any]) -> None:
    first, *middle, last = ports
    errors = [failed(rank, port, fail) for port, fail in zip(middle, FAILURES, strict=True)]
    results.put((rank, shared(rank, first), errors))
    if rank == 1:
        results.close()
        results.join_thread()
    end = failed(rank, last, one_is_gone)
    results.put(end)


@pytest.fixture(scope="module")
def found() -> list[Any]:
    """What two processes put: rank, what was shared and the errors of each; how rank 0 ended."""
    context = multiprocessing.get_context("spawn")
    results: Queue[Any] = context.Queue()
    ports = [free_port() for _ in range(len(FAILURES) + 2)]
    processes = [context.Process(target=work, args=(rank, ports, results)) for rank in range(2)]
    for process in processes:
        process.start()
    rows = [results.get(timeout=100) for _ in range(3)]
    for process in processes:
        process.join(20)
        assert process.exitcode == 0
    return [*sorted(rows[:2]), rows[2]]


@pytest.mark.timeout(120)
def test_two_processes_gather_in_order_and_sum_gradients(found: list[Any]) -> None:
    # Sums: 1 + 2 = 3 and 10 + 20 = 30; the gradient that rank 1 lacks counts as zero: 5 + 0.
    expected = (["a", "b", "c"], [1.0, 1.0], True, ([3.0, 30.0], [5.0]))
    assert [row[1] for row in found[:2]] == [expected, expected]


@pytest.mark.timeout(120)
def test_an_error_of_one_process_is_raised_in_both(found: list[Any]) -> None:
    pairs = zip(found[0][2], found[1][2], strict=True)
    assert [list(pair) for pair in pairs] == list(FAILURES.values())
    assert len(FAILURES) == 6


@pytest.mark.timeout(120)
def test_an_error_stays_what_it_is_when_the_other_process_is_gone(found: list[Any]) -> None:
    assert found[2] == ("DiskError", "disk full", 5)
