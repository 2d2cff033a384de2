"""Every benchmark there is: importing this module registers them."""

from __future__ import annotations

from avatar_core.benchmarks.registry import BENCHMARKS, find, load
from avatar_core.evaluation import scenes as _scenes

__all__ = ["BENCHMARKS", "find", "load"]
# Importing a benchmark's module registers it.
del _scenes
