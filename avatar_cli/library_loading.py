"""Loads the libraries of a model, which is said: nothing looks for garbage in what they define."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from avatar_cli.options import Output
from avatar_cli.render import note


@contextmanager
def libraries(model: str | None, output: Output) -> Iterator[None]:
    """Import large libraries without garbage collection; a sixth of the time that it takes.

    All that exists at the end is passed by in later collections, as modules live until the end.

    Args:
        model: that is loaded next, which is said on stderr; `None` for none.
        output: nothing is said in JSON or when quiet.
    """
    if model is not None and not output.as_json:
        note(f"loading {model}", output)
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
