from __future__ import annotations

import asyncio
import threading

import pytest

from avatar_core.rewards.judging.event_loop import event_loop


async def nothing() -> None:
    pass


async def thread_of() -> str:
    return threading.current_thread().name


def test_work_runs_beside_the_caller_even_inside_another_loop() -> None:
    async def notebook() -> str:
        with event_loop(nothing) as loop:
            return asyncio.run_coroutine_threadsafe(thread_of(), loop).result()

    assert asyncio.run(notebook()) == "event loop"
    assert "event loop" not in {thread.name for thread in threading.enumerate()}


def test_what_still_runs_at_the_end_is_cancelled_before_the_last_step() -> None:
    steps: list[str] = []

    async def long() -> None:
        try:
            steps.append("begun")
            await asyncio.sleep(600)
        finally:
            steps.append("cancelled")

    async def last() -> None:
        steps.append("last")

    with pytest.raises(KeyError), event_loop(last) as loop:
        future = asyncio.run_coroutine_threadsafe(long(), loop)
        asyncio.run_coroutine_threadsafe(nothing(), loop).result()
        raise KeyError("the block ends badly")
    assert steps == ["begun", "cancelled", "last"]
    assert future.cancelled()
    assert loop.is_closed()
