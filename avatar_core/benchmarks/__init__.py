"""Evaluation sets by name, as items."""

from __future__ import annotations

from avatar_core.benchmarks.item import AnswerKind, Item, PromptStyle
from avatar_core.benchmarks.published import Published
from avatar_core.benchmarks.registry import (
    Benchmark,
    Selection,
    available,
    check,
    cluster_of,
    find,
    is_main,
    load,
    register,
    resolved,
    select,
)

__all__ = [
    "AnswerKind",
    "Benchmark",
    "Item",
    "PromptStyle",
    "Published",
    "Selection",
    "available",
    "check",
    "cluster_of",
    "find",
    "is_main",
    "load",
    "register",
    "resolved",
    "select",
]
