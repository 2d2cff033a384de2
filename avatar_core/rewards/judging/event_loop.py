"""An event loop beside the caller, who hands in work bit by bit and need not be asynchronous."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def event_loop(
    last: Callable[[], Coroutine[Any, Any, None]],
) -> Iterator[asyncio.AbstractEventLoop]:
    """Run an event loop in a thread of its own while the block runs.

    The caller may run inside another event loop, as notebooks do. At the end of the block, what is
    still running is cancelled.

    Args:
        last: is run at the very end, to close what the work used.
    """
    loop = asyncio.new_event_loop()
    # A second signal may end the block's own end early; the process must not wait for the thread.
    thread = threading.Thread(target=loop.run_forever, name="event loop", daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        asyncio.run_coroutine_threadsafe(_finish(last), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _finish(last: Callable[[], Coroutine[Any, Any, None]]) -> None:
    running = asyncio.all_tasks() - {asyncio.current_task()}
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    await last()
    await asyncio.get_running_loop().shutdown_default_executor()
