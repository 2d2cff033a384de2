"""Several processes that train one policy: equal state everywhere, prompts shared out.

Every process holds the same weights, optimiser state, replay buffer and counters, because every one
of them applies the same updates in the same order. What is shared out is the work on prompts:
decoding, encoding, generation, rewards and the loss. After that

- scored groups are gathered, so that every process stores the same groups in the same order;
- gradients are summed, with losses normalised over the rows of all processes;
- only the process of rank 0 writes files and speaks.

So the result is that of one process on the same prompts, up to the order of floating-point sums,
and nothing depends on which process draws from the buffer.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import torch
from torch import Tensor, distributed

from avatar_core.errors import AvatarError, UsageError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class World:
    """The processes that train together.

    Attributes:
        rank: of this process, from 0.
        size: number of processes.
    """

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process writes and speaks."""
        return self.rank == 0

    def share(self, items: Sequence[T]) -> list[T]:
        """This process's stretch of a list that all hold; lengths differ by one at most.

        >>> [World(rank, 2).share("abcde") for rank in range(2)]
        [['a', 'b'], ['c', 'd', 'e']]
        """
        first, last = (len(items) * bound // self.size for bound in (self.rank, self.rank + 1))
        return list(items[first:last])

    def gather(self, items: Sequence[T]) -> list[T]:
        """The parts of all processes one after the other; the inverse of `share`."""
        if self.size == 1:
            return list(items)
        parts: list[list[T]] = [[] for _ in range(self.size)]
        distributed.all_gather_object(parts, list(items))
        return [item for part in parts for item in part]

    def gather_or_raise(self, make: Callable[[], Sequence[T]]) -> list[T]:
        """Gather what each process makes; an error of one is raised in all of them.

        Else the others would wait for what never comes, and end without saving.
        """
        made: Sequence[T] = ()
        failure: AvatarError | None = None
        try:
            made = make()
        except AvatarError as error:
            if self.size == 1:
                raise
            failure = error
        for found in self.gather([failure]):
            if found is not None:
                raise found
        return self.gather(made)

    def place(self, items: Sequence[T]) -> list[T | None]:
        """This process's items at their places in what `gather` gives, `None` at the others'."""
        lengths = self.gather([len(items)])
        before, after = sum(lengths[: self.rank]), sum(lengths[self.rank + 1 :])
        return [*[None] * before, *items, *[None] * after]

    def total(self, numbers: Sequence[float]) -> list[float]:
        """Element-wise sums over all processes, the same bits on each."""
        rows = self.gather([list(numbers)])
        return [sum(column) for column in zip(*rows, strict=True)]

    def sum_gradients(self, parameters: Sequence[Tensor]) -> None:
        """Replace every gradient by its sum over the processes.

        One that a process lacks counts as zero; where all lack it there is none, as in one process.
        """
        if self.size == 1:
            return
        present = self.total([parameter.grad is not None for parameter in parameters])
        parameters = [p for p, count in zip(parameters, present, strict=True) if count]
        gradients = [p.grad if p.grad is not None else torch.zeros_like(p) for p in parameters]
        flat = torch.cat([gradient.flatten().float() for gradient in gradients])
        distributed.all_reduce(flat)
        pieces = torch.split(flat, [gradient.numel() for gradient in gradients])
        for parameter, gradient, piece in zip(parameters, gradients, pieces, strict=True):
            parameter.grad = piece.view_as(gradient).to(gradient.dtype)

    def any(self, flag: bool) -> bool:
        """Whether the flag is set in any process."""
        return any(self.gather([flag]))

    @contextmanager
    def lead_first(self) -> Iterator[None]:
        """Let rank 0 through before the others, which find done what it did."""
        if not self.leads:
            self.wait()
        yield
        if self.leads:
            self.wait()

    def wait(self) -> None:
        """Wait until all processes are here."""
        self.gather([None])


ALONE = World()
"""One process."""


@contextmanager
def joined() -> Iterator[World]:
    """Join the processes that a launcher started, as told by WORLD_SIZE and its companions.

    Without a launcher there is one process. On a GPU each takes the device of its LOCAL_RANK.

    Raises:
        UsageError: the variables of a launcher are not whole.
    """
    told = os.environ.get("WORLD_SIZE", "1")
    if not told.isdecimal() or (told != "1" and "MASTER_ADDR" not in os.environ):
        raise UsageError(
            f"WORLD_SIZE={told}: set by hand or half set; start several processes with "
            "`accelerate launch`, or unset it"
        )
    size = int(told)
    if size == 1 or distributed.is_initialized():
        yield ALONE if size == 1 else World(distributed.get_rank(), size)
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    # Objects travel through gloo, gradients on a GPU through nccl.
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    # The others wait while the first measures held-out accuracy or trains the cold start.
    distributed.init_process_group(backend, timeout=timedelta(days=1))
    try:
        yield World(distributed.get_rank(), size)
    finally:
        distributed.destroy_process_group()
