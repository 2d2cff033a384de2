"""Paths that an annotation file could hold to be shown something outside its data set."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

SECRET = "secret.mp4"  # noqa: S105
PLAIN = (
    "/etc/hostname",
    "/dev/zero",
    "/dev/stdin",
    "/proc/self/environ",
    "//etc/hostname",
    "//server/share/a.mp4",
    "\\\\server\\share\\a.mp4",
    "C:\\clips\\a.mp4",
    "C:/clips/a.mp4",
    "../secret.mp4",
    "../../secret.mp4",
    "./../secret.mp4",
    "videos/../../secret.mp4",
    "videos/./../../secret.mp4",
    "..\\secret.mp4",
    "videos\\..\\..\\secret.mp4",
    "..",
    ".",
    "",
    "file:///etc/hostname",
    "file:/etc/hostname",
    "FILE:secret.mp4",
    "http://host/a.mp4",
    "https:host/a.mp4",
    "s3://bucket/a.mp4",
    "hf://datasets/a/b.mp4",
    "data:video/mp4;base64,AAAA",
    "a\0.mp4",
    "a.mp4\0/../../secret.mp4",
    "\ud800.mp4",
    "a" * 5000,
    "a/" * 2500 + "b.mp4",
    "n" * 300 + ".mp4",
)
TRAPS = ("out.mp4", "up/secret.mp4", "up/../secret.mp4", "loop.mp4", "pipe.mp4", "zero.mp4")
"""Those that need `set_traps`."""
HOSTILE_PATHS = (*PLAIN, *TRAPS)


def set_traps(root: Path) -> None:
    """Put links that leave a root, a loop of links and a pipe into it, and a secret beside it."""
    (root.parent / SECRET).write_bytes(b"secret")
    (root / "out.mp4").symlink_to(root.parent / SECRET)
    (root / "up").symlink_to(root.parent)
    (root / "loop.mp4").symlink_to(root / "loop.mp4")
    (root / "zero.mp4").symlink_to("/dev/zero")
    os.mkfifo(root / "pipe.mp4")


_watchers: list[list[str]] = []


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open" and _watchers and isinstance(arguments[0], str | bytes | os.PathLike):
        path = os.fspath(arguments[0])
        for seen in _watchers:
            seen.append(os.fsdecode(path))


@contextlib.contextmanager
def opened() -> Iterator[list[str]]:
    """Paths that are opened inside the block, as the interpreter reports them."""
    if not hasattr(sys, "_avatar_hooked"):
        # A hook stays until the process ends.
        sys.addaudithook(_hook)
        sys._avatar_hooked = True  # type: ignore[attr-defined]
    seen: list[str] = []
    _watchers.append(seen)
    try:
        yield seen
    finally:
        _watchers.remove(seen)
