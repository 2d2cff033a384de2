"""All kits, and the program that writes their miniature data sets: `python -m ... DIRECTORY`."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

from avatar_core.benchmarks.published import PUBLISHED

NAMES = tuple(sorted(PUBLISHED))


def kit(name: str) -> ModuleType:
    """The kit of one benchmark."""
    return import_module(f"tests.benchmarks.kit.{name}")


def layouts() -> list[tuple[str, str]]:
    """Every benchmark with each of its layouts."""
    return [(name, layout) for name in NAMES for layout in kit(name).LAYOUTS]


def write_all(root: Path) -> None:
    """Write every benchmark in its first layout, each into a folder of its name."""
    for name in NAMES:
        kit(name).write(root / name, kit(name).LAYOUTS[0])


if __name__ == "__main__":
    write_all(Path(sys.argv[1]))
