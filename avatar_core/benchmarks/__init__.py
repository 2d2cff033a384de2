"""Evaluation sets by name, as samples."""

from __future__ import annotations

from avatar_core.benchmarks.registry import Benchmark, Item, available, find, load, register

__all__ = ["Benchmark", "Item", "available", "find", "load", "register"]
