"""Several processes that train one policy: equal state everywhere, prompts shared out.

Every process holds the same weights, optimiser state, replay buffer and counters, because every one
of them applies the same updates in the same order. What is shared out is the work on prompts:
decoding, encoding, generation, rewards and the loss. After that

- scored groups are gathered, so that every process stores the same groups in the same order;
- gradients are summed, with losses normalised over the rows of all processes;
- only the process of rank 0 writes files and speaks;
- an error that one process fails with is raised in all, which else would wait for it for ever.

So the result is that of one process on the same prompts, up to the order of floating-point sums,
and nothing depends on which process draws from the buffer.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

import torch
from torch import Tensor, distributed

from avatar_core.errors import AvatarError, Stopped, UsageError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class World:
    """The processes that train together.

    Attributes:
        rank: of this process, from 0.
        size: number of processes.
        failures: the error that all of them have failed with; after it nothing is shared any more.
    """

    rank: int = 0
    size: int = 1
    failures: list[AvatarError] = field(default_factory=list, compare=False, repr=False)

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
        """The parts of all processes one after the other; the inverse of `share`.

        Raises:
            AvatarError: that with which another process has left `together`.
        """
        return list(items) if self.size == 1 else self._exchange(list(items))

    def _exchange(self, items: list[T], failure: AvatarError | None = None) -> list[T]:
        """What all processes hand in, each its items or why there will be none."""
        if self.failures:
            raise self.failures[0]
        parts: list[tuple[list[T], AvatarError | None]] = [([], None)] * self.size
        distributed.all_gather_object(parts, (items, failure))
        self.failures.extend(found for _, found in parts if found is not None)
        if self.failures:
            raise self.failures[0]
        return [item for part, _ in parts for item in part]

    @contextmanager
    def together(self) -> Iterator[None]:
        """Raise an error of one process in all of them; of several errors that of the lowest rank.

        A process that fails hands in its error in place of what it would have shared next. So the
        others raise it where they wait for that, inside the block or after it. `Stopped` stays with
        its process: a signal comes to all of them, and may come in the middle of an exchange.
        """
        try:
            yield
        except Stopped:
            raise
        except AvatarError as error:
            if self.size > 1 and not self.failures:
                # Where another process was killed nobody listens; the error is still this one.
                with suppress(RuntimeError):
                    self._exchange([], error)
            raise

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
        # What is summed next is not handed in through `gather`: a failure must be known before.
        self.wait()
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
def joined_processes() -> Iterator[World]:
    """Join the processes that a launcher started, as told by WORLD_SIZE and its companions.

    Without a launcher there is one process. On a GPU each takes the device of its LOCAL_RANK. An
    error of one inside the block is raised in all.

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
    if size == 1:
        yield ALONE
        return
    with ExitStack() as stack:
        if not distributed.is_initialized():
            _begin_group()
            stack.callback(distributed.destroy_process_group)
        world = World(distributed.get_rank(), size)
        stack.enter_context(world.together())
        yield world


def _begin_group() -> None:
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    # Objects travel through gloo, gradients on a GPU through nccl.
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    # The others wait while the first measures held-out accuracy or trains the cold start.
    distributed.init_process_group(backend, timeout=timedelta(days=1))
